/** Calls and health as pictures, by version, with the shares of rollouts marked on the same axis. */
import { useSignal } from "@preact/signals";
import { answered, api, type Schemas } from "../api/client";
import { useLive } from "../api/live";
import { PicturesContext, Lane, Grid, Scrubber, TimeAxis, useWidth } from "../charts/lane";
import { pathsOf } from "../charts/latency";
import { linear, niceTop } from "../charts/scale";
import { place, setQuery } from "../app/router";
import { clock, figure, moment } from "../text/format";
import { t } from "../text/t";
import { Empty, Field, Loaded } from "../ui/basics";
import { ServiceHead } from "./service-head";

const SPANS: Record<string, number> = { "1": 1, "6": 6, "24": 24, "168": 168 };
const TONES = ["challenger", "champion", "good", "bad"];
type Figure = keyof Schemas["Series"];
const FIGURES: Figure[] = ["qps", "success", "client_errors", "server_errors", "latency_p50", "latency_p90", "latency_p99", "reward"];

export function Monitoring({ name }: { name: string }) {
  const hours = SPANS[place.value.query.get("hours") ?? "1"] ?? 1;
  const by = place.value.query.get("by") === "model" ? "models" : "versions";
  const live = useLive(`monitoring/${name}/${hours}`, () => {
    const since = new Date(Date.now() - hours * 3_600_000).toISOString();
    return answered(api().GET("/v1/endpoints/{endpoint}/metrics", { params: { path: { endpoint: name }, query: { since } } }));
  }, 20);
  return (
    <>
      <ServiceHead name={name} tab="monitoring" />
      <div class="bar">
        <Field label={t().monitoring.span}>
          {(ids) => (
            <select {...ids} value={String(hours)} onChange={(event) => setQuery({ hours: event.currentTarget.value })}>
              {Object.keys(SPANS).map((each) => <option key={each} value={each}>{t().monitoring.hours(Number(each))}</option>)}
            </select>
          )}
        </Field>
        <Field label={t().monitoring.by}>
          {(ids) => (
            <select {...ids} value={by} onChange={(event) => setQuery({ by: event.currentTarget.value === "models" ? "model" : null })}>
              <option value="versions">{t().app.version}</option>
              <option value="models">{t().monitoring.model}</option>
            </select>
          )}
        </Field>
      </div>
      <Loaded live={live}>{(figures) => <Pictures figures={figures} by={by} />}</Loaded>
    </>
  );
}

function Pictures({ figures, by }: { figures: Schemas["Figures"]; by: "versions" | "models" }) {
  const [measure, width] = useWidth();
  const cursor = useSignal<number | null>(null);
  const start = Date.parse(figures.start);
  const at = (index: number) => start + index * figures.period_seconds * 1000;
  const series = Object.entries(figures[by]).filter(([, each]) => each.qps.some((value) => value !== null));
  if (!series.length) return <Empty title={t().monitoring.empty} hint={t().monitoring.empty_hint} />;
  const end = at(figures.count);
  const index = cursor.value === null ? null : Math.floor((cursor.value - start) / (figures.period_seconds * 1000));
  const read = (name: Figure) => series.map(([version, each]) => `${by === "versions" ? t().app.version_n(version) : version} ${index === null || each[name][index] == null ? "–" : figure(each[name][index]!)}`).join(", ");
  return (
    <PicturesContext.Provider value={{ domain: { start, end }, width, cursor, pauses: [] }}>
      <section class="card pictures" ref={measure}>
        <div class="pictures-bar"><output>{cursor.value === null ? "" : moment(cursor.value)}</output></div>
        <Scrubber at={cursor} say={cursor.value === null ? "" : `${clock(cursor.value, true)}, ${read("qps")}`} onCommit={() => {}} />
        {FIGURES.map((name) => {
          const values = series.flatMap(([, each]) => each[name]).filter((each): each is number => each !== null);
          if (!values.length) return null;
          const percentage = name === "success";
          const low = percentage ? Math.min(90, Math.floor(Math.min(...values))) : 0;
          const top = percentage ? 100 : niceTop(Math.max(...values));
          const HEIGHT = 84;
          const y = linear(low, top, HEIGHT - 8, 8);
          return (
            <Lane
              key={name}
              title={t().monitoring.figure[name]}
              height={HEIGHT}
              summary={series.map(([version, each]) => `${version}: ${each[name].findLast((value) => value !== null) ?? "–"}`).join(", ")}
              legend={index === null ? series.map(([version], place) => <span key={version}><i class={`key ${TONES[place % 4]}`} />{by === "versions" ? t().app.version_n(version) : version}</span>) : read(name)}
              table={{
                columns: [{ head: t().picture.time, cell: (row) => moment(at(row)) }, ...series.map(([version, each]) => ({ head: version, cell: (row: number) => (each[name][row] == null ? "–" : figure(each[name][row]!, 4)), number: true }))],
                rows: Array.from({ length: figures.count }, (_, row) => row),
              }}
            >
              {(x, wide) => (
                <>
                  <Grid width={wide} y={y} ticks={[low, (low + top) / 2, top].map((value) => ({ value, label: figure(value) }))} />
                  {series.map(([version, each], place) => pathsOf(each[name], at, x, y).map((d) => <path key={version + d} class={`stroke ${TONES[place % 4]}`} d={d} />))}
                </>
              )}
            </Lane>
          );
        })}
        <TimeAxis />
      </section>
    </PicturesContext.Provider>
  );
}
