/** Groups and people: who may do what to the services of a group. */
import { useState } from "preact/hooks";
import { answered, answeredWhole, api } from "../api/client";
import { PACE, useLive } from "../api/live";
import { Head } from "../app/app";
import { personOf } from "../app/session";
import { count } from "../text/format";
import { t } from "../text/t";
import { Badge, Empty, Field, Loaded, ProblemNotice, Table } from "../ui/basics";
import { toast } from "../ui/toast";
import { useAction } from "../ui/use-action";

const ROLES = ["viewer", "releaser", "approver", "admin"] as const;
type Role = (typeof ROLES)[number];

export function Groups() {
  const words = t().people;
  const live = useLive("groups", () => answered(api().GET("/v1/groups", { params: { query: { limit: 100 } } })), PACE.idle);
  return (
    <>
      <Head title={t().app.groups} sub={words.hint} />
      <Loaded live={live}>
        {({ items }) =>
          items.length ? (
            <section class="card">
              <Table caption={words.groups} rows={items} keyOf={(row) => row.name} columns={[
                { head: t().app.filterGroup, cell: (row) => <a href={`/groups/${row.name}`}>{row.name}</a> },
                { head: t().models.description, cell: (row) => row.description },
                { head: words.members, cell: (row) => count(Object.keys(row.members).length), number: true },
              ]} />
            </section>
          ) : (
            <Empty title={words.empty} hint={words.empty_hint} />
          )
        }
      </Loaded>
      <section class="card">
        <Table caption={words.may} rows={words.rights} keyOf={(row) => row.what} columns={[
          { head: words.what, cell: (row) => row.what },
          ...ROLES.map((role) => ({ head: t().roles[role]!, cell: (row: { roles: readonly string[] }) => (row.roles.includes(role) ? `✓ ${t().app.yes}` : "–") })),
        ]} />
      </section>
    </>
  );
}

export function Group({ name }: { name: string }) {
  const words = t().people;
  const params = { path: { group: name } };
  const live = useLive(`group/${name}`, async () => {
    const { data, response } = await answeredWhole(api().GET("/v1/groups/{group}", { params }));
    return { group: data, etag: response.headers.get("etag") ?? "*" };
  }, PACE.once);
  const { working, problem, run } = useAction();
  const [arn, setArn] = useState("");
  const [role, setRole] = useState<Role>("viewer");

  async function put(members: Record<string, Role[]>, undo?: Record<string, Role[]>): Promise<void> {
    const { group, etag } = live.data!;
    const done = await run(async () => {
      await answered(api().PUT("/v1/groups/{group}", { params: { ...params, header: { "if-match": undo ? etag : "*" } as never }, body: { description: group.description, members, message: "" } }));
    });
    if (!done) return;
    live.reload();
    setArn("");
    toast(t().form.saved, undo && (() => put(undo)));
  }

  return (
    <>
      <Head title={name} sub={<a href="/groups">{t().app.groups}</a>} />
      <Loaded live={live}>
        {({ group }) => {
          const members = group.members as Record<string, Role[]>;
          return (
            <div class="stack">
              {group.description && <p>{group.description}</p>}
              <section class="card">
                <Table<[string, Role[]]> caption={words.members} rows={Object.entries(members)} keyOf={([each]) => each} columns={[
                  { head: words.person, cell: ([each]) => <span title={each}>{personOf(each)}</span> },
                  { head: words.arn, cell: ([each]) => <code>{each}</code> },
                  { head: words.roles, cell: ([, roles]) => roles.map((each) => <Badge key={each} kind="info">{t().roles[each] ?? each}</Badge>) },
                  { head: t().clients.actions, cell: ([each]) => { const { [each]: _, ...rest } = members; return <button type="button" class="quiet" disabled={working} onClick={() => void put(rest, members)}>{words.remove(personOf(each))}</button>; } },
                ]} />
              </section>
              <form class="card bar" onSubmit={(event) => { event.preventDefault(); void put({ ...members, [arn]: [...new Set([...(members[arn] ?? []), role])] }, members); }}>
                <Field label={words.arn} hint={words.arn_hint}>{(ids) => <input {...ids} required size={48} placeholder="arn:aws:iam::123456789012:user/ada" value={arn} onInput={(event) => setArn(event.currentTarget.value)} />}</Field>
                <Field label={words.roles}>{(ids) => <select {...ids} value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>{ROLES.map((each) => <option key={each} value={each}>{t().roles[each]}</option>)}</select>}</Field>
                <button type="submit" class="primary" disabled={working}>{words.add}</button>
              </form>
              {problem && <ProblemNotice problem={problem} />}
            </div>
          );
        }}
      </Loaded>
    </>
  );
}
