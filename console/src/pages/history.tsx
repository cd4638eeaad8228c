/** Who did what to a service, and that nobody changed the record since. */
import { useState } from "preact/hooks";
import { answered, api, text, type Schemas } from "../api/client";
import { PACE, useLive } from "../api/live";
import { actionOf, whoOf } from "../charts/lanes";
import { count } from "../text/format";
import { t } from "../text/t";
import { CopyButton, Empty, Loaded, Table, Time } from "../ui/basics";
import { verify, type Chain } from "./chain";
import { ServiceHead } from "./service-head";

type AuditRecord = Schemas["AuditRecord"];

export function History({ name }: { name: string }) {
  const [older, setOlder] = useState<Schemas["Audit"][]>([]);
  const read = (cursor?: string) =>
    answered(api().GET("/v1/endpoints/{endpoint}/audit", { params: { path: { endpoint: name }, query: { newest: true, limit: 50, ...(cursor ? { cursor } : {}) } } }));
  const live = useLive(`history/${name}`, () => read(), PACE.observing);
  return (
    <>
      <ServiceHead name={name} tab="history" />
      <Loaded live={live}>
        {(first) => {
          const pages = [first, ...older];
          const records = pages.flatMap((page) => page.items);
          const last = pages[pages.length - 1]!.next;
          if (!records.length) return <Empty title={t().history.empty} />;
          return (
            <div class="stack">
              <Verify name={name} />
              <section class="card">
                <Records caption={t().history.title} records={records} />
                {last && <p><button type="button" onClick={async () => { const page = await read(last); setOlder([...older, page]); }}>{t().app.more}</button></p>}
              </section>
            </div>
          );
        }}
      </Loaded>
    </>
  );
}

export function Records({ caption, records, where = false }: { caption: string; records: readonly AuditRecord[]; where?: boolean }) {
  const words = t().history;
  return (
    <Table<AuditRecord>
      caption={caption}
      rows={records}
      keyOf={(row) => `${row.endpoint}/${row.seq}`}
      columns={[
        { head: words.when, cell: (row) => <Time at={row.at} /> },
        ...(where ? [{ head: t().services.name, cell: (row: AuditRecord) => <a href={`/endpoints/${row.endpoint}`}>{row.endpoint}</a> }] : []),
        { head: words.who, cell: (row) => <span title={row.actor}>{whoOf(row)}</span> },
        { head: words.action, cell: (row) => actionOf(row.action) },
        { head: words.why, cell: (row) => row.reason },
        { head: words.changed, cell: (row) => <Diff before={row.before} after={row.after} /> },
      ]}
    />
  );
}

/** Only what differs, as before → after. */
export function Diff({ before, after }: { before: Record<string, unknown>; after: Record<string, unknown> }) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const shown = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return (
    <span class="diff">
      {names.map((name) => (
        <span key={name}>
          {name} {before[name] !== undefined && before[name] !== null && <del>{shown(before[name])}</del>} <ins>{shown(after[name] ?? null)}</ins>{" "}
        </span>
      ))}
    </span>
  );
}

function Verify({ name }: { name: string }) {
  const words = t().history;
  const [chain, setChain] = useState<Chain | null>(null);
  const [done, setDone] = useState(false);
  const [agrees, setAgrees] = useState(true);
  async function start(): Promise<void> {
    setDone(false);
    const told = answered(api().GET("/v1/endpoints/{endpoint}/audit/verify", { params: { path: { endpoint: name } } }));
    let found: Chain | undefined;
    for (let more = true; more; ) {
      const page = await text(`/v1/endpoints/${name}/audit/export?after=${found?.records ?? 0}`);
      found = await verify(page.body.split("\n").filter(Boolean), found);
      setChain(found);
      more = page.headers.get("halftone-more") === "true" && found.brokenAt === null;
    }
    const { records, head } = await told;
    setAgrees(found!.records > records || found!.head === head);
    setDone(true);
  }
  const sound = chain?.brokenAt === null && agrees;
  return (
    <section class="card">
      <div class="actions">
        <button type="button" onClick={() => void start()}>{words.verify}</button>
        <span class="why">{words.verify_hint}</span>
      </div>
      <div role="status">
        {chain && (
          <p class={`notice ${done ? (sound ? "good" : "bad") : ""}`}>
            {!done && chain.brokenAt === null ? words.verifying(count(chain.records)) : chain.brokenAt !== null ? words.broken(count(chain.brokenAt)) : agrees ? words.verified(count(chain.records)) : words.head_differs}
            {done && <><br /><small>{words.head}: <code>{chain.head}</code></small> <CopyButton text={chain.head} /></>}
          </p>
        )}
      </div>
    </section>
  );
}
