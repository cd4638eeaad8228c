/** The newest lines of a service, as they come; all of them as a file. */
import { useEffect, useRef, useState } from "preact/hooks";
import { answered, api, type Schemas } from "../api/client";
import { useLive } from "../api/live";
import { place, setQuery } from "../app/router";
import { utc } from "../text/format";
import { t } from "../text/t";
import { CopyButton, Empty, Field, Loaded } from "../ui/basics";
import { ServiceHead } from "./service-head";

const MOST = 2000;

export function Logs({ name }: { name: string }) {
  const version = place.value.query.get("version") ?? "";
  const [follow, setFollow] = useState(true);
  const kept = useRef<{ lines: Schemas["Line"][]; cursor: string | null }>({ lines: [], cursor: null });
  useEffect(() => { kept.current = { lines: [], cursor: null }; }, [version]);
  const live = useLive(`logs/${name}/${version}`, async () => {
    const query = { ...(version ? { version } : {}), ...(kept.current.cursor ? { cursor: kept.current.cursor } : {}) };
    const page = await answered(api().GET("/v1/endpoints/{endpoint}/logs", { params: { path: { endpoint: name }, query } }));
    kept.current = { lines: [...kept.current.lines, ...page.items].slice(-MOST), cursor: page.cursor };
    return kept.current.lines;
  }, follow ? 5 : 0);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => { if (follow) box.current?.scrollTo(0, box.current.scrollHeight); }, [live.data, follow]);
  const written = (lines: readonly Schemas["Line"][]) => lines.map((each) => `${utc(Date.parse(each.at))} v${each.version} ${each.text}`).join("\n");

  async function download(): Promise<void> {
    let text = "";
    let cursor: string | null = null;
    do {
      const query: { cursor?: string; version?: string } = version ? { version } : {};
      if (cursor !== null) query.cursor = cursor;
      const piece: Schemas["Piece"] = await answered(api().GET("/v1/endpoints/{endpoint}/logs/download", { params: { path: { endpoint: name }, query } }));
      text += piece.text;
      cursor = piece.next ?? null;
    } while (cursor !== null);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = `${name}.log`;
    link.click();
  }

  return (
    <>
      <ServiceHead name={name} tab="logs" />
      <div class="bar">
        <Field label={t().app.version}>{(ids) => <input {...ids} size={8} value={version} placeholder={t().app.all} onChange={(event) => setQuery({ version: event.currentTarget.value })} />}</Field>
        <label class="check"><input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /> {t().logs.follow}</label>
        <button type="button" onClick={() => void download()}>{t().logs.download}</button>
        {live.data && <CopyButton text={() => written(live.data ?? [])} />}
      </div>
      <Loaded live={live}>
        {(lines) => lines.length ? <div ref={box} class="loglines" tabIndex={0} role="log" aria-label={t().tabs.logs}>{written(lines)}</div> : <Empty title={t().logs.empty} hint={t().logs.empty_hint} />}
      </Loaded>
    </>
  );
}
