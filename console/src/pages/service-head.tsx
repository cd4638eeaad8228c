/** The head of every page of one service: its name, its state, and the way to its other pages. */
import { answered, api } from "../api/client";
import { PACE, useLive } from "../api/live";
import { Head } from "../app/app";
import { t } from "../text/t";
import { Badge } from "../ui/basics";

export type Tab = keyof ReturnType<typeof t>["tabs"];

const TABS: Tab[] = ["rollout", "monitoring", "try", "samples", "history", "clients", "traffic", "settings", "logs"];

const TONES: Record<string, string> = { Deployed: "good", Deploying: "info", Failed: "bad", Stopped: "warn" };

export function ServiceHead({ name, tab }: { name: string; tab: Tab }) {
  const live = useLive(`head/${name}`, () => answered(api().GET("/v1/endpoints/{endpoint}", { params: { path: { endpoint: name } } })), PACE.observing);
  const endpoint = live.data;
  return (
    <>
      <Head
        title={name}
        sub={
          endpoint && (
            <>
              <Badge kind={TONES[endpoint.status] ?? ""}>{t().status[endpoint.status]}</Badge>{" "}
              {endpoint.champion ? t().services.serving(endpoint.champion.version) : t().services.quiet}
              {endpoint.owner && <> · {t().services.owner}: <a href={`/groups/${endpoint.owner}`}>{endpoint.owner}</a></>}
            </>
          )
        }
      >
        <a class="button" href={`/new?service=${name}`}>{t().rollout.release}</a>
        {tab === "rollout" && <button type="button" class="noprint" onClick={() => print()}>{t().app.print}</button>}
      </Head>
      <nav class="tabs" aria-label={name}>
        {TABS.map((each) => (
          <a key={each} href={each === "rollout" ? `/endpoints/${name}` : `/endpoints/${name}/${each}`} aria-current={each === tab ? "page" : undefined}>
            {t().tabs[each]}
          </a>
        ))}
      </nav>
    </>
  );
}
