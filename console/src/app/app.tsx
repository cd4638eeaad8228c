/** The frame around every page: who acts on which stage, and where to go. */
import type { ComponentChildren, VNode } from "preact";
import { useEffect } from "preact/hooks";
import { surroundings } from "../api/client";
import { Code } from "../ui/basics";
import { Toasts } from "../ui/toast";
import { ready, t } from "../text/t";
import { match, place } from "./router";
import { me, personOf, signedOut } from "./session";
import { ROUTES } from "./routes";

/** The stage's own colour, so that nobody takes one for another; production is red. */
function colourOf(stage: string): string {
  if (/^(prod|live)/.test(stage)) return "#ff6b5e";
  const hues = ["#7db0ff", "#63d2a1", "#f5c04e", "#c59bff", "#5fd0e0"];
  let sum = 0;
  for (const letter of stage) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return hues[sum % hues.length]!;
}

export function App() {
  if (!ready.value) return <p class="loading">…</p>;
  if (signedOut.value !== null) return <SignedOutPage code={signedOut.value} />;
  return (
    <>
      <a class="skip" href="#main">{t().app.skip}</a>
      <Top />
      <main id="main" tabIndex={-1}>
        <Page />
      </main>
      <Toasts />
    </>
  );
}

function Top() {
  const { stage, local } = surroundings();
  const links: [string, string][] = [
    ["/", t().app.services],
    ["/inbox", t().app.inbox],
    ["/models", t().app.models],
    ["/plans", t().app.plans],
    ["/groups", t().app.groups],
    ["/audit", t().app.audit],
  ];
  const path = place.value.path;
  const current = (to: string) =>
    to === "/" ? path === "/" || path.startsWith("/endpoints") || path === "/new" : path.startsWith(to);
  const arn = me.value?.arn ?? "";
  useEffect(() => document.documentElement.style.setProperty("--stage", colourOf(stage)), [stage]);
  return (
    <header class="top">
      <div class="row">
        <a class="brand" href="/">
          <svg viewBox="0 0 32 32" aria-hidden="true" fill="#fff">
            {[0, 1, 2].flatMap((x) => [0, 1, 2].map((y) => <circle cx={6 + x * 10} cy={6 + y * 10} r={1.4 + (x + y) * 0.8} />))}
          </svg>
          Halftone
        </a>
        <span class="stage" title={t().app.stage}>{stage}{local ? ` · ${t().app.local}` : ""}</span>
        <nav aria-label={t().app.menu}>
          {links.map(([to, label]) => (
            <a key={to} href={to} aria-current={current(to) ? "page" : undefined}>{label}</a>
          ))}
        </nav>
        <a class="who" href="/me" title={arn}>{t().app.you(personOf(arn) || "…")}</a>
      </div>
    </header>
  );
}

function Page(): VNode {
  const { path } = place.value;
  for (const [pattern, draw] of ROUTES) {
    const values = match(pattern, path);
    if (values) return draw(values);
  }
  return <Missing />;
}

function Missing() {
  return (
    <>
      <Head title={t().app.notFound} sub={t().app.notFoundHint} />
      <a class="button" href="/">{t().app.services}</a>
    </>
  );
}

function SignedOutPage({ code }: { code: "no-session" | "used-key" | "expired" }) {
  return (
    <main id="main" class="card signed-out">
      <h1>{t().signIn.title}</h1>
      <p>{t().signIn[code]}</p>
      <Code text="halftone console" label="halftone console" />
    </main>
  );
}

export function Head({ title, sub, children }: { title: string; sub?: ComponentChildren; children?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · Halftone`;
  }, [title]);
  return (
    <div class="head">
      <h1 tabIndex={-1}>{title}</h1>
      {sub && <span class="sub">{sub}</span>}
      {children && <div class="end">{children}</div>}
    </div>
  );
}
