/** Which page stands at which address. */
import type { VNode } from "preact";
import { Clients } from "../pages/clients";
import { Group, Groups } from "../pages/groups";
import { History } from "../pages/history";
import { Inbox } from "../pages/inbox";
import { Logs } from "../pages/logs";
import { Me } from "../pages/me";
import { Model, Models } from "../pages/models";
import { Monitoring } from "../pages/monitoring";
import { NewRelease } from "../pages/new";
import { Plans } from "../pages/plans";
import { Samples } from "../pages/samples";
import { Services } from "../pages/services";
import { Settings } from "../pages/settings";
import { StageAudit } from "../pages/stage-audit";
import { Traffic } from "../pages/traffic";
import { Try } from "../pages/try";
import { NewestRollout, RolloutPage } from "../rollout/page";

type Draw = (values: Record<string, string>) => VNode;

export const ROUTES: readonly [string, Draw][] = [
  ["/", () => <Services />],
  ["/inbox", () => <Inbox />],
  ["/new", () => <NewRelease />],
  ["/models", () => <Models />],
  ["/models/:name", ({ name }) => <Model key={name} name={name!} />],
  ["/plans", () => <Plans />],
  ["/groups", () => <Groups />],
  ["/groups/:name", ({ name }) => <Group key={name} name={name!} />],
  ["/audit", () => <StageAudit />],
  ["/me", () => <Me />],
  ["/endpoints/:name", ({ name }) => <NewestRollout key={name} name={name!} />],
  ["/endpoints/:name/rollouts/:id", ({ name, id }) => <RolloutPage key={id} name={name!} id={id!} />],
  ["/endpoints/:name/monitoring", ({ name }) => <Monitoring key={name} name={name!} />],
  ["/endpoints/:name/try", ({ name }) => <Try key={name} name={name!} />],
  ["/endpoints/:name/samples", ({ name }) => <Samples key={name} name={name!} />],
  ["/endpoints/:name/history", ({ name }) => <History key={name} name={name!} />],
  ["/endpoints/:name/clients", ({ name }) => <Clients key={name} name={name!} />],
  ["/endpoints/:name/traffic", ({ name }) => <Traffic key={name} name={name!} />],
  ["/endpoints/:name/settings", ({ name }) => <Settings key={name} name={name!} />],
  ["/endpoints/:name/logs", ({ name }) => <Logs key={name} name={name!} />],
];
