/** The registry: models, their versions, what is said of each, and which ones serve. */
import { answered, api, type Schemas } from "../api/client";
import { PACE, useLive } from "../api/live";
import { Head } from "../app/app";
import { personOf } from "../app/session";
import { figure } from "../text/format";
import { t } from "../text/t";
import { Badge, Empty, Loaded, Table, Time } from "../ui/basics";

const TONES: Record<string, string> = { PASSED: "good", FAILED: "bad", PENDING: "warn" };

export function Models() {
  const words = t().models;
  const live = useLive("models", () => answered(api().GET("/v1/models", { params: { query: { limit: 100 } } })), PACE.idle);
  return (
    <>
      <Head title={words.title} sub={words.hint} />
      <Loaded live={live}>
        {({ items }) =>
          items.length ? (
            <section class="card">
              <Table caption={words.title} hideCaption rows={items} keyOf={(row) => row.name} columns={[
                { head: words.name, cell: (row) => <a href={`/models/${row.name}`}>{row.name}</a> },
                { head: words.newest, cell: (row) => row.newest, number: true },
                { head: words.aliases, cell: (row) => Object.entries(row.aliases).map(([alias, number]) => <Badge key={alias} kind="info">{alias}: {number}</Badge>) },
                { head: t().services.owner, cell: (row) => row.owner ?? t().services.nobody },
              ]} />
            </section>
          ) : (
            <Empty title={words.empty} hint={words.empty_hint} />
          )
        }
      </Loaded>
    </>
  );
}

export function Model({ name }: { name: string }) {
  const words = t().models;
  const live = useLive(`model/${name}`, () => answered(api().GET("/v1/models/{model}/versions", { params: { path: { model: name }, query: { limit: 100 } } })), PACE.idle);
  return (
    <>
      <Head title={name} sub={<a href="/models">{words.title}</a>} />
      <Loaded live={live}>
        {({ items }) => (
          <section class="card">
            <Table<Schemas["ModelVersion"]> caption={words.versions} rows={items} keyOf={(row) => row.number} columns={[
              { head: t().app.version, cell: (row) => <>{row.number} {row.aliases.map((alias) => <Badge key={alias} kind="info">{alias}</Badge>)}</> },
              { head: words.validation, cell: (row) => <Badge kind={TONES[row.validation_status] ?? ""}>{row.validation_status}</Badge> },
              { head: words.description, cell: (row) => row.description },
              { head: words.metrics, cell: (row) => Object.entries(row.metrics).map(([metric, value]) => `${metric} ${figure(value)}`).join(", ") },
              { head: words.registered, cell: (row) => <><Time at={row.registered_at} /> · {personOf(row.registered_by)}</> },
              { head: words.package, cell: (row) => <code>{row.digest.slice(0, 12)}</code> },
              { head: words.use, cell: (row) => <a href={`/new?model=${row.model}:${row.number}`}>{t().rollout.release}</a> },
            ]} />
          </section>
        )}
      </Loaded>
    </>
  );
}
