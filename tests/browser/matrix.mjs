/** Every page × light and dark × 1280 and 360 px in one language: no finding, error or foreign request. */
import { audit, open, Report, visit } from "./browser.mjs";

const [link, language, ...pages] = process.argv.slice(2);
const report = new Report();
const { page, at } = await open(report, link);
for (const theme of ["light", "dark"]) {
  await page.evaluate((kept) => localStorage.setItem("halftone-preferences", JSON.stringify(kept)), { language, theme, zone: "local" });
  await page.reload();
  await page.waitForSelector("h1");
  for (const path of pages) {
    at(`${path} ${theme}`);
    try {
      await visit(page, path);
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 800 });
        await page.waitForTimeout(30);
        await audit(page, report, `${path} ${theme} ${width}`);
      }
    } catch (error) {
      report.fault(path, error.message);
    }
  }
}
report.end();
