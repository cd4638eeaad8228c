/** What waits for a person, with what there is to decide on. */
import { useLive } from "../api/live";
import { Head } from "../app/app";
import { lacks } from "../rollout/may";
import { metricsOf } from "../rollout/looks";
import { count, rate } from "../text/format";
import { t } from "../text/t";
import { Badge, Empty, Loaded, Time } from "../ui/basics";
import { loadOverviews, needOf, type Overview } from "./overview";

export function Inbox() {
  const live = useLive("inbox", loadOverviews, 10);
  return (
    <>
      <Head title={t().inbox.title} sub={t().inbox.hint} />
      <Loaded live={live}>
        {(overviews) => {
          const waiting = overviews.filter((each) => needOf(each, Date.now()) !== null);
          if (!waiting.length) return <Empty title={t().inbox.empty} hint={t().inbox.empty_hint} />;
          return <div class="stack">{waiting.map((each) => <Item key={each.endpoint.name} overview={each} />)}</div>;
        }}
      </Loaded>
    </>
  );
}

function Item({ overview }: { overview: Overview }) {
  const { endpoint, rollout } = overview;
  const need = needOf(overview, Date.now())!;
  const metrics = metricsOf(rollout?.verdict?.evidence).filter((each) => each.required);
  const yours = lacks(need === "approval" ? "approve" : "operate", endpoint.owner) === null;
  return (
    <section class="card needs">
      <div class="head">
        <h2><a href={`/endpoints/${endpoint.name}`}>{endpoint.name}</a></h2>
        <Badge kind={need === "approval" || need === "held" ? "warn" : "bad"}>{t().services.needs[need]}</Badge>
        {!yours && <span class="why">{t().inbox.others}</span>}
        <div class="end"><a class={`button ${yours ? "primary" : ""}`} href={`/endpoints/${endpoint.name}`}>{need === "approval" ? t().inbox.decide : t().inbox.look}</a></div>
      </div>
      <p>{rollout?.reason ?? endpoint.restored}</p>
      {rollout && <p class="why">{rollout.package.name} · {rollout.message && `“${rollout.message}” · `}<Time at={rollout.started_at} /></p>}
      {metrics.length > 0 && (
        <dl class="facts">
          {metrics.map((each) => (
            <>
              <dt>{t().metric[each.name] ?? each.name}</dt>
              <dd>{t().evidence.of(count(each.challenger.x), count(each.challenger.n))} ({rate(each.challenger.x, each.challenger.n)}) · {each.champion && <>{t().evidence.champion}: {t().evidence.of(count(each.champion.x), count(each.champion.n))} ({rate(each.champion.x, each.champion.n)})</>}</dd>
            </>
          ))}
        </dl>
      )}
    </section>
  );
}
