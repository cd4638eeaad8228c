/** Who did what on the whole stage, the newest first. */
import { answered, api, type Schemas } from "../api/client";
import { useLive } from "../api/live";
import { Head } from "../app/app";
import { t } from "../text/t";
import { Empty, Loaded } from "../ui/basics";
import { Records } from "./history";

const EACH = 20;
const MOST = 200;

async function load(): Promise<Schemas["AuditRecord"][]> {
  const { items } = await answered(api().GET("/v1/endpoints", { params: { query: { limit: 100 } } }));
  const pages = await Promise.all(items.map(({ name }) => answered(api().GET("/v1/endpoints/{endpoint}/audit", { params: { path: { endpoint: name }, query: { newest: true, limit: EACH } } }))));
  return pages.flatMap((page) => page.items).sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, MOST);
}

export function StageAudit() {
  const live = useLive("audit", load, 30);
  return (
    <>
      <Head title={t().app.audit} sub={t().history.stage_hint} />
      <Loaded live={live}>
        {(records) => (records.length ? <section class="card"><Records caption={t().history.title} records={records} where /></section> : <Empty title={t().history.empty} />)}
      </Loaded>
    </>
  );
}
