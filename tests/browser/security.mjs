/** A stolen link, and a page of another origin that frames the console or asks its API. */
import { createServer } from "node:http";
import { open, Report } from "./browser.mjs";

const [link] = process.argv.slice(2);
const report = new Report();
const { browser, page, at } = await open(report, link, { expectErrors: true });
const { origin } = new URL(link);

at("stolen link");
const thief = await (await browser.newContext()).newPage();
await thief.goto(link);
await thief.getByText("This link was used before").waitFor({ timeout: 10_000 });
if (thief.url().includes("#key")) report.fault("stolen link", "the key stays in the address");
report.checked += 1;

at("key in the address");
if (page.url().includes("key=")) report.fault("address", "the key stays in the address");
if ((await page.evaluate(() => document.cookie)) !== "") report.fault("cookies", "the session is in a cookie, which every port of this host gets");
report.checked += 1;

at("another origin");
const evil = createServer((_, response) => {
  response.setHeader("content-type", "text/html");
  response.end(`<iframe id="f" src="${origin}/"></iframe><script>
    globalThis.tries = Promise.all([
      fetch("${origin}/v1/me").then((r) => r.text(), () => "refused"),
      fetch("${origin}/session", { method: "POST", body: "{}" }).then((r) => r.text(), () => "refused"),
      fetch("${origin}/v1/endpoints/fraud/rollback", { method: "POST", mode: "no-cors", body: "{}" }).then((r) => r.type, () => "refused"),
    ]);
  </script>`);
});
await new Promise((resolve) => evil.listen(0, "127.0.0.1", resolve));
const attack = await (await browser.newContext()).newPage();
await attack.goto(`http://127.0.0.1:${evil.address().port}/`);
const tries = await attack.evaluate(() => globalThis.tries);
if (tries[0] !== "refused" || tries[1] !== "refused") report.fault("another origin", `it reads ${JSON.stringify(tries)}`);
await attack.waitForTimeout(500);
const framed = attack.frames().find((frame) => frame !== attack.mainFrame());
const text = framed ? await framed.evaluate(() => document.body?.innerText ?? "").catch(() => "") : "";
if (/Halftone|Services/.test(text)) report.fault("clickjacking", "the console shows in a foreign frame");
report.checked += 2;
evil.close();

at("another tab of the same browser");
const second = await page.context().newPage();
await second.goto(`${origin}/me`);
await second.getByText("arn:aws:iam").first().waitFor({ timeout: 10_000 });
report.checked += 1;
report.end();
