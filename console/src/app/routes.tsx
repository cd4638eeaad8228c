/** Which page stands at which address. */
import type { VNode } from "preact";
import { NewestRollout, RolloutPage } from "../rollout/page";
import { Services } from "../pages/services";

type Draw = (values: Record<string, string>) => VNode;

export const ROUTES: readonly [string, Draw][] = [
  ["/", () => <Services />],
  ["/endpoints/:name", ({ name }) => <NewestRollout key={name} name={name!} />],
  ["/endpoints/:name/rollouts/:id", ({ name, id }) => <RolloutPage key={id} name={name!} id={id!} />],
];
