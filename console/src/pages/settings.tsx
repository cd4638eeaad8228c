/** What may be changed about a service besides what it serves: its description, limits and owner. */
import { answered, answeredWhole, api } from "../api/client";
import { t } from "../text/t";
import { DocumentForm } from "./document-form";
import { ServiceHead } from "./service-head";

export function Settings({ name }: { name: string }) {
  const words = t().settings;
  const params = { path: { endpoint: name } };
  return (
    <>
      <ServiceHead name={name} tab="settings" />
      <div class="grid2">
        <DocumentForm
          editor={{
            path: `settings/${name}`,
            load: () => answeredWhole(api().GET("/v1/endpoints/{endpoint}/settings", { params })),
            save: (changes, etag, message) => answered(api().PATCH("/v1/endpoints/{endpoint}/settings", { params: { ...params, header: { "if-match": etag } as never }, body: { ...changes, message } as never })),
            fields: [
              { name: "description", label: words.description, kind: "text" },
              { name: "tags", label: words.tags, hint: words.tags_hint, kind: "json" },
              { name: "concurrency", label: words.concurrency, hint: words.concurrency_hint, kind: "number" },
              { name: "throttle", label: words.throttle, hint: words.throttle_hint, kind: "json" },
            ],
          }}
        />
        <DocumentForm
          editor={{
            path: `owner/${name}`,
            load: () => answeredWhole(api().GET("/v1/endpoints/{endpoint}", { params })),
            save: async (changes, etag, message) => {
              const now = await answered(api().GET("/v1/endpoints/{endpoint}", { params }));
              const allowed = { yes: true, no: false, "": null }[String(changes["self_approval"] ?? now.self_approval ?? "")] ?? null;
              const body = { owner: now.owner ?? null, self_approval: now.self_approval ?? null, ...changes, ...("self_approval" in changes ? { self_approval: allowed } : {}), message };
              return answered(api().PUT("/v1/endpoints/{endpoint}/owner", { params: { ...params, header: { "if-match": etag } as never }, body }));
            },
            fields: [{ name: "owner", label: words.owner, hint: words.owner_hint, kind: "text" }],
          }}
        />
      </div>
    </>
  );
}
