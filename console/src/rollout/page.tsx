/** The rollout page: is it worse, how sure, what happens next, what clients felt, who did what. */
import { useEffect, useState } from "preact/hooks";
import { answered, api } from "../api/client";
import { PACE, useLive } from "../api/live";
import { ActList } from "../charts/lanes";
import { before } from "../charts/scale";
import { place } from "../app/router";
import { ServiceHead } from "../pages/service-head";
import { t } from "../text/t";
import { Badge, Empty, Loaded, Table, Time } from "../ui/basics";
import { Actions } from "./actions";
import { loadRollout, paceOf, type RolloutData } from "./data";
import { EvidenceTable, Felt, Pairs } from "./evidence";
import { Ladder } from "./ladder";
import { outlookOf } from "./outlook";
import { RolloutPictures } from "./pictures";
import { needOf, VerdictCard, wordOf } from "./verdict";

/** The service's newest rollout, or what to do where there is none. */
export function NewestRollout({ name }: { name: string }) {
  const live = useLive(name, () => answered(api().GET("/v1/endpoints/{endpoint}/rollouts", { params: { path: { endpoint: name }, query: { limit: 10 } } })), PACE.observing);
  return (
    <>
      <ServiceHead name={name} tab="rollout" />
      <Loaded live={live}>
        {({ items }) =>
          items[0] ? (
            <RolloutView key={items[0].id} name={name} id={items[0].id} />
          ) : (
            <Empty title={t().rollout.none} hint={t().rollout.none_hint} />
          )
        }
      </Loaded>
    </>
  );
}

export function RolloutPage({ name, id }: { name: string; id: string }) {
  return (
    <>
      <ServiceHead name={name} tab="rollout" />
      <RolloutView name={name} id={id} />
    </>
  );
}

function RolloutView({ name, id }: { name: string; id: string }) {
  const live = useLive(`${name}/${id}`, () => loadRollout(name, id), paceOf);
  return (
    <Loaded live={live}>
      {(data) => <RolloutBody data={data} at={live.at} changed={live.reload} />}
    </Loaded>
  );
}

/** The time, every second while a rollout lasts. */
function useNow(running: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => !document.hidden && setNow(Date.now()), 5000);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}

function RolloutBody({ data, changed }: { data: RolloutData; at: number; changed: () => void }) {
  const now = data.now + Math.max(0, useNow(!data.rollout.over) - data.readAt);
  const outlook = outlookOf(data, now);
  const asked = Date.parse(place.value.query.get("at") ?? "");
  const look = Number.isNaN(asked) ? data.looks[data.looks.length - 1] : before(data.looks, asked);
  return (
    <div class="rollout">
      <div class="lead">
        <VerdictCard data={data} outlook={outlook} />
        <Actions data={data} changed={changed} />
      </div>
      <Ladder data={data} outlook={outlook} now={now} />
      <div class="columns">
        <RolloutPictures data={data} outlook={outlook} now={now} />
        <div class="stack side">
          <Felt data={data} look={look} />
          <section class="card">
            <h2>{t().picture.audit}</h2>
            <ActList acts={data.timeline.acts} most={6} />
            <p><a href={`/endpoints/${data.rollout.endpoint}/history`}>{t().tabs.history}</a></p>
          </section>
          <Pairs look={look} />
        </div>
      </div>
      <EvidenceTable look={look} need={needOf(data.rollout)} pace={outlook.pace} />
      <Earlier name={data.rollout.endpoint} except={data.rollout.id} />
    </div>
  );
}

function Earlier({ name, except }: { name: string; except: string }) {
  const live = useLive(`earlier/${name}`, () => answered(api().GET("/v1/endpoints/{endpoint}/rollouts", { params: { path: { endpoint: name }, query: { limit: 20 } } })), PACE.once);
  const items = live.data?.items.filter((each) => each.id !== except) ?? [];
  if (!items.length) return null;
  return (
    <section class="card noprint">
      <Table
        caption={t().rollout.earlier}
        rows={items}
        keyOf={(row) => row.id}
        columns={[
          { head: t().app.version, cell: (row) => <a href={`/endpoints/${name}/rollouts/${row.id}`}>{row.champion ?? "–"} → {row.challenger ?? "–"}</a> },
          { head: t().services.rollout, cell: (row) => { const { word, tone } = wordOf(row.phase, undefined); return <Badge kind={tone}>{word}</Badge>; } },
          { head: t().picture.time, cell: (row) => <Time at={row.started_at} /> },
          { head: t().models.package, cell: (row) => row.package.name },
          { head: t().history.why, cell: (row) => row.reason },
        ]}
      />
    </section>
  );
}
