/** The reader: who the API takes them for, in which groups, and how they like the console. */
import { Head } from "../app/app";
import { language, theme, zone, type Language, type Theme, type Zone } from "../app/preferences";
import { me, personOf } from "../app/session";
import { t } from "../text/t";
import { Badge, Field, Table } from "../ui/basics";

const NAMES: Record<Language, string> = { en: "English", zh: "中文", pl: "polski" };

export function Me() {
  const words = t().mine;
  const who = me.value;
  return (
    <>
      <Head title={words.title} sub={personOf(who?.arn)} />
      <div class="grid2">
        <section class="card">
          <h2>{words.rights}</h2>
          <dl class="facts">
            <dt>{words.arn}</dt><dd><code>{who?.arn ?? "…"}</code></dd>
            <dt>{words.principal}</dt><dd><code>{who?.principal ?? "…"}</code></dd>
          </dl>
          {who && Object.keys(who.roles).length > 0 ? (
            <Table caption={t().people.groups} rows={Object.entries(who.roles)} keyOf={([group]) => group} columns={[
              { head: t().app.filterGroup, cell: ([group]) => <a href={`/groups/${group}`}>{group}</a> },
              { head: t().people.roles, cell: ([, roles]) => roles.map((role) => <Badge key={role} kind="info">{t().roles[role] ?? role}</Badge>) },
            ]} />
          ) : (
            <p class="why">{words.no_group}</p>
          )}
        </section>
        <section class="card">
          <h2>{words.console}</h2>
          <Field label={words.language}>{(ids) => <select {...ids} value={language.value} onChange={(event) => (language.value = event.currentTarget.value as Language)}>{(Object.keys(NAMES) as Language[]).map((each) => <option key={each} value={each} lang={each}>{NAMES[each]}</option>)}</select>}</Field>
          <Field label={words.theme}>{(ids) => <select {...ids} value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>{(["auto", "light", "dark"] as const).map((each) => <option key={each} value={each}>{words.themes[each]}</option>)}</select>}</Field>
          <Field label={words.zone} hint={words.zone_hint}>{(ids) => <select {...ids} value={zone.value} onChange={(event) => (zone.value = event.currentTarget.value as Zone)}><option value="local">{words.local} ({Intl.DateTimeFormat().resolvedOptions().timeZone})</option><option value="utc">UTC</option></select>}</Field>
        </section>
      </div>
    </>
  );
}
