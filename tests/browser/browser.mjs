/** Chromium for the tests of the console, and what counts as a fault in every one of them. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../console/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const FLAGS = [
  "--no-sandbox", // Chromium's own sandbox does not start as root, which containers and CI run as
  "--disable-gpu", // there is no screen
  // What a browser asks of its maker by itself would be taken for the page's foreign requests.
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const NOW = new Date("2026-11-30T14:00:00Z");

/** What the tests print for pytest: one line of JSON with the faults. */
export class Report {
  faults = [];
  checked = 0;
  fault(where, what) {
    this.faults.push(`${where}: ${what}`);
  }
  end() {
    console.log(JSON.stringify({ checked: this.checked, faults: this.faults }));
    process.exit(0);
  }
}

export async function open(report, link, options = {}) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", timezoneId: "Europe/Warsaw", permissions: ["clipboard-write", "clipboard-read"], ...options });
  const page = await context.newPage();
  const origin = new URL(link).origin;
  let where = "start";
  page.on("console", (message) => {
    // Chromium notes each answer of 400 and above; where a test provokes a refusal, that is no fault.
    const refusal = options.refusals && /the server responded with a status of 4\d\d/.test(message.text());
    if (message.type() === "error" && !refusal && !options.expectErrors) report.fault(where, `console: ${message.text()}`);
  });
  page.on("pageerror", (error) => report.fault(where, `script: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("data:") && !url.startsWith("blob:")) report.fault(where, `foreign request ${url}`);
  });
  await page.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
  await page.addInitScript({ content: AXE });
  await page.clock.install({ time: NOW });
  await page.clock.resume();
  await page.goto(link);
  await page.waitForSelector("h1");
  return { browser, context, page, at: (place) => (where = place) };
}

/** Goes to an address as a click on a link does, and waits until what it reads is there. */
export async function visit(page, path) {
  await page.evaluate((to) => {
    history.pushState(null, "", to);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
  await page.waitForSelector("h1");
  await page.waitForFunction(() => !document.querySelector(".loading"), null, { timeout: 20_000 });
}

export async function audit(page, report, where) {
  report.checked += 1;
  const result = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"] }));
  for (const each of result.violations) report.fault(where, `axe ${each.id}: ${each.nodes.slice(0, 2).map((node) => node.html.slice(0, 140)).join(" | ")}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) report.fault(where, `${wide} px wider than the window`);
}
