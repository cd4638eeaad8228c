/** All pictures on one time axis, with one cursor, and a link to the moment that it stands at. */
import { useSignal } from "@preact/signals";
import { useMemo, useState } from "preact/hooks";
import { place, setQuery } from "../app/router";
import { AlarmPicture, alarmsOf, AuditPicture } from "../charts/lanes";
import { LatencyPicture } from "../charts/latency";
import { PicturesContext, Scrubber, TimeAxis, useWidth, type Pictures } from "../charts/lane";
import { RacePicture, type Forecast } from "../charts/race";
import { RatioPicture } from "../charts/ratio";
import { before } from "../charts/scale";
import { SharePicture } from "../charts/share";
import { clock, coins, percent } from "../text/format";
import { t } from "../text/t";
import { CopyButton } from "../ui/basics";
import type { RolloutData } from "./data";
import type { Outlook } from "./outlook";
import { needOf } from "./verdict";

export function RolloutPictures({ data, outlook, now }: { data: RolloutData; outlook: Outlook; now: number }) {
  const { rollout, timeline, looks, figures } = data;
  const [measure, width] = useWidth();
  const asked = Date.parse(place.value.query.get("at") ?? "");
  const cursor = useSignal<number | null>(Number.isNaN(asked) ? null : asked);
  const [metric, setMetric] = useState("errors");
  const need = needOf(rollout);
  const spans = useMemo(() => alarmsOf(timeline, now), [timeline, now]);
  const end = timeline.end ?? now;
  // Room for the forecast: a fifth of what has passed at most.
  const ahead = rollout.over || outlook.stepEnds === null ? 0 : Math.min(outlook.stepEnds - end, (end - timeline.start) * 0.2);
  const pictures: Pictures = {
    domain: { start: timeline.start, end: Math.max(end + Math.max(0, ahead), timeline.start + 60_000) },
    width,
    cursor,
    pauses: timeline.pauses,
  };
  const last = looks[looks.length - 1];
  const forecast: Forecast | null = !rollout.over && outlook.stepEnds !== null && last && last.harmless < need ? { at: outlook.stepEnds, way: "harmless" } : null;
  const margins = rollout.plan?.margins[metric === "bad" ? "quality" : metric.startsWith("over") ? "latency" : metric];
  const names = last?.metrics.filter((each) => each.champion).map((each) => each.name) ?? ["errors"];
  const read = readout(data, cursor.value);
  const drawn = looks.flatMap((look, index) => {
    const previous = looks[index - 1];
    const errors = look.metrics.find((each) => each.name === "errors");
    const earlier = previous?.metrics.find((each) => each.name === "errors");
    if (!errors?.champion) return [];
    const ours = errors.challenger.n - (earlier?.challenger.n ?? 0);
    const theirs = errors.champion.n - (earlier?.champion?.n ?? 0);
    return ours + theirs > 0 ? [{ at: look.at, share: (100 * ours) / (ours + theirs) }] : [];
  });
  const commit = (ms: number | null) => setQuery({ at: ms === null ? null : new Date(ms).toISOString() });
  return (
    <PicturesContext.Provider value={pictures}>
      <section class="card pictures" ref={measure} aria-label={t().tabs.rollout}>
        <div class="pictures-bar">
          <output>{read}</output>
          <CopyButton label={t().picture.permalink} text={() => `${location.origin}${location.pathname}?at=${new Date(cursor.value ?? end).toISOString()}`} />
        </div>
        <Scrubber at={cursor} say={read} onCommit={commit} />
        <SharePicture timeline={timeline} drawn={drawn} looks={looks} />
        <RacePicture looks={looks} need={need} forecast={forecast} />
        <RatioPicture looks={looks} metric={metric} worse={margins?.["regression"] ?? 1.25} safe={margins?.["safety"] ?? 2}>
          <select aria-label={t().evidence.metric} value={metric} onChange={(event) => setMetric(event.currentTarget.value)}>
            {names.map((name) => <option key={name} value={name}>{t().metric[name] ?? name}</option>)}
          </select>
        </RatioPicture>
        {figures && <LatencyPicture figures={figures} champion={rollout.champion ?? null} challenger={rollout.challenger ?? null} />}
        <AlarmPicture spans={spans} challenger={rollout.challenger ?? null} />
        <AuditPicture timeline={timeline} />
        <TimeAxis />
      </section>
    </PicturesContext.Provider>
  );
}

/** What all pictures say at a moment, in one line. */
function readout({ rollout, timeline, looks }: RolloutData, at: number | null): string {
  const need = needOf(rollout);
  const moment = at ?? timeline.end ?? Number.MAX_SAFE_INTEGER;
  const share = before(timeline.shares, moment);
  const look = before(looks, moment);
  const words = t().picture;
  return [
    at === null ? "" : clock(at, true),
    share ? `${percent(share.share)} · ${t().phase[share.phase]}` : "",
    look ? `${words.harmless} ${words.coins(coins(look.harmless, need))} · ${words.worse} ${words.coins(coins(look.worse, need))}` : "",
  ].filter(Boolean).join(" · ");
}
