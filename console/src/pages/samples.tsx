/** Captured pairs: what both versions answered to the same request. */
import { answered, api } from "../api/client";
import { PACE, useLive } from "../api/live";
import { percent } from "../text/format";
import { t } from "../text/t";
import { Empty, Loaded } from "../ui/basics";
import { ServiceHead } from "./service-head";

export function Samples({ name }: { name: string }) {
  const live = useLive(`samples/${name}`, () => answered(api().GET("/v1/endpoints/{endpoint}/serving", { params: { path: { endpoint: name } } })), PACE.idle);
  return (
    <>
      <ServiceHead name={name} tab="samples" />
      <Loaded live={live}>
        {({ capture }) => (
          <Empty title={capture.share ? t().samples.captured(percent(capture.share)) : t().samples.empty} hint={capture.share ? t().samples.where : t().samples.empty_hint}>
            <a class="button" href={`/endpoints/${name}/traffic`}>{t().samples.set}</a>
          </Empty>
        )}
      </Loaded>
    </>
  );
}
