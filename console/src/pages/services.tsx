/** The first page: every service in a row, and on top what waits for the reader. */
import { useMemo, useState } from "preact/hooks";
import { useLive } from "../api/live";
import { Head } from "../app/app";
import { place, setQuery } from "../app/router";
import { me } from "../app/session";
import { wordOf } from "../rollout/verdict";
import { figure, percent } from "../text/format";
import { t } from "../text/t";
import { Badge, Empty, Field, Loaded, Table } from "../ui/basics";
import { loadOverviews, needOf, type Overview } from "./overview";

export function Services() {
  const live = useLive("services", loadOverviews, 20);
  return (
    <>
      <Head title={t().services.title}>
        <a class="button primary" href="/new">{t().services.new}</a>
      </Head>
      <Loaded live={live}>{(overviews) => <List overviews={overviews} />}</Loaded>
    </>
  );
}

function List({ overviews }: { overviews: Overview[] }) {
  const words = t().services;
  const [name, setName] = useState(place.value.query.get("name") ?? "");
  const group = place.value.query.get("group") ?? "";
  const mine = place.value.query.get("mine") === "1";
  const groups = useMemo(() => [...new Set(overviews.flatMap(({ endpoint }) => endpoint.owner ?? []))].sort(), [overviews]);
  if (!overviews.length) {
    return (
      <Empty title={words.empty} hint={words.empty_hint}>
        <a class="button primary" href="/new">{words.new}</a>
      </Empty>
    );
  }
  const own = me.value ? Object.keys(me.value.roles) : [];
  const shown = overviews.filter(
    ({ endpoint }) => endpoint.name.includes(name.trim().toLowerCase()) && (!group || endpoint.owner === group) && (!mine || own.includes(endpoint.owner ?? "")),
  );
  const waiting = shown.filter((each) => needOf(each, Date.now()) !== null);
  return (
    <div class="stack">
      {waiting.length > 0 && (
        <section class="card needs" aria-label={words.needs_me}>
          <h2>{words.needs_me}</h2>
          <ul>{waiting.map((each) => <Waiting key={each.endpoint.name} overview={each} />)}</ul>
        </section>
      )}
      <section class="card">
        <div class="bar noprint">
          <Field label={t().app.search}>
            {(ids) => <input {...ids} type="search" value={name} onInput={(event) => { setName(event.currentTarget.value); setQuery({ name: event.currentTarget.value }); }} />}
          </Field>
          <Field label={t().app.filterGroup}>
            {(ids) => (
              <select {...ids} value={group} onChange={(event) => setQuery({ group: event.currentTarget.value })}>
                <option value="">{t().app.all}</option>
                {groups.map((each) => <option key={each} value={each}>{each}</option>)}
              </select>
            )}
          </Field>
          <label class="check"><input type="checkbox" checked={mine} onChange={(event) => setQuery({ mine: event.currentTarget.checked ? "1" : null })} /> {t().app.mine}</label>
        </div>
        <div class="services">
          <Table<Overview>
            caption={words.others}
            rows={shown}
            keyOf={({ endpoint }) => endpoint.name}
            columns={[
              { head: words.name, cell: ({ endpoint }) => <a href={`/endpoints/${endpoint.name}`}>{endpoint.name}</a> },
              { head: words.versions, cell: ({ endpoint, rollout }) => rollout && !rollout.over ? words.out(rollout.challenger ?? "?", rollout.champion ?? "–") : endpoint.champion ? words.serving(endpoint.champion.version) : "–" },
              { head: words.rollout, cell: MiniLadder },
              { head: words.verdict, cell: ({ rollout }) => { if (!rollout) return "–"; const { word, tone } = wordOf(rollout.phase, rollout.verdict?.kind); return <Badge kind={tone}>{word}</Badge>; } },
              { head: words.qps, cell: ({ qps }) => (qps === null ? "–" : figure(qps)), number: true },
              { head: words.success, cell: ({ success }) => (success === null ? "–" : percent(success, 4)), number: true },
              { head: words.owner, cell: ({ endpoint }) => endpoint.owner ?? words.nobody },
            ]}
          />
        </div>
        {!shown.length && <p class="why">{words.none_match}</p>}
      </section>
    </div>
  );
}

export function Waiting({ overview }: { overview: Overview }) {
  const { endpoint, rollout } = overview;
  const need = needOf(overview, Date.now())!;
  return (
    <li>
      <a href={`/endpoints/${endpoint.name}`}><strong>{endpoint.name}</strong></a>
      <Badge kind={need === "approval" || need === "held" ? "warn" : "bad"}>{t().services.needs[need]}</Badge>
      <span class="why">{rollout?.reason ?? endpoint.restored}</span>
    </li>
  );
}

/** The plan as a row of little steps. */
function MiniLadder({ rollout }: Overview) {
  if (!rollout?.plan) return <span class="why">{t().services.quiet}</span>;
  const present = rollout.stage - 1;
  const bad = rollout.phase === "rolled_back" || rollout.phase === "failed";
  return (
    <span class="mini">
      {rollout.plan.stages.map((stage, index) => (
        <i key={index} class={rollout.phase === "promoted" || index < present ? "done" : index === present ? (bad ? "bad" : "now") : ""} title={stage.mirror ? t().ladder.mirror(percent(stage.mirror)) : percent(stage.weight)} />
      ))}
      <span>{rollout.phase === "promoted" ? percent(100) : percent(rollout.share)}</span>
    </span>
  );
}
