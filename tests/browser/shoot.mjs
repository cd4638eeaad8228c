/** Takes the screenshots of the documentation: shoot.mjs LINK FOLDER. */
import { open, Report, visit } from "./browser.mjs";

const [link, folder] = process.argv.slice(2);
const report = new Report();
const SHOTS = [
  ["services", "/"],
  ["inbox", "/inbox"],
  ["rollout", "/endpoints/fraud", { full: true }],
  ["rolled-back", "/endpoints/credit"],
  ["rollout-dark", "/endpoints/fraud", { theme: "dark" }],
  ["rollout-zh", "/endpoints/credit", { language: "zh" }],
  ["rollout-narrow", "/endpoints/credit", { width: 360 }],
  ["release", "/new?service=fraud&model=gradient-boosting:1"],
  ["try", "/endpoints/fraud/try"],
  ["monitoring", "/endpoints/fraud/monitoring"],
  ["history", "/endpoints/fraud/history"],
];
const { page } = await open(report, link);
let before = "";
for (const [name, path, { full = false, theme = "light", language = "en", width = 1280 } = {}] of SHOTS) {
  const preferences = JSON.stringify({ language, theme, zone: "local" });
  if (preferences !== before) {
    await page.evaluate((kept) => localStorage.setItem("halftone-preferences", kept), preferences);
    await page.reload();
    await page.waitForSelector("h1");
    before = preferences;
  }
  await page.setViewportSize({ width, height: 800 });
  await visit(page, path);
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: full });
  report.checked += 1;
}
report.end();
