/** The main tasks by keyboard alone: what is pressed is pressed by a person who has no mouse. */
import { open, Report, visit } from "./browser.mjs";

const [link, walk] = process.argv.slice(2);
const report = new Report();
const { page, at } = await open(report, link, { refusals: true });
at(walk);

/** Tabs until the control with that name has the focus. */
async function reach(name, role = "button") {
  await page.getByRole(role, { name, exact: false }).first().waitFor({ timeout: 10_000 });
  for (let presses = 0; presses < 120; presses += 1) {
    const there = await page.getByRole(role, { name, exact: false }).evaluateAll((all) => all.includes(document.activeElement));
    if (there) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the keyboard does not reach ${role} ${name}`);
}

async function press(name, role) {
  await reach(name, role);
  await page.keyboard.press("Enter");
}

async function see(text) {
  await page.getByText(text).locator("visible=true").first().waitFor({ timeout: 10_000 });
  report.checked += 1;
}

const WALKS = {
  async rollback() {
    await press("fraud", "link");
    await press("Roll back");
    await see(/loses its .* of the traffic at once/);
    await reach("Why", "textbox");
    await page.keyboard.type("scores drift since noon");
    await press("Roll back");
    await see("Version 2 was rolled back: version 1 serves all requests.");
    await see("scores drift since noon");
  },
  async pause() {
    await visit(page, "/endpoints/eta");
    await press("Pause");
    await press("Pause");
    await see("Paused.");
    await press("Undo");
    await see("Undone");
    await see("resumed");
  },
  async approve() {
    await press("Inbox", "link");
    await press("Decide", "link");
    await press("Approve");
    await see(/goes from 5\s% to 20\s%/);
    await press("Approve");
    await see("Approved: the next tick gives the share.");
  },
  async release() {
    await press("New service", "link");
    await reach("Service", "combobox");
    await page.keyboard.type("tariffs");
    await press("Next");
    await reach("Or one of the registry", "combobox");
    await page.keyboard.type("fresh:1");
    await press("Next");
    await reach("Progressive", "radio");
    await press("Next");
    await see("Alarms are armed for it and read back.");
    await press("Release");
    // The registry knows no such version: the fault says so, and nothing that was typed is lost.
    await see("What you typed is kept.");
    await see(/fresh:1 is published on tariffs/);
  },
  async verify() {
    await visit(page, "/endpoints/fraud/history");
    await press("Verify in this browser");
    await see(/Verified here: all \d+ records are chained/);
  },
  async client() {
    await visit(page, "/endpoints/tariffs/clients");
    await reach("Client", "textbox");
    await page.keyboard.type("shop");
    await press("Add a token");
    await press("Add a token");
    await see("The token of shop. It is shown this once: copy it now.");
    await press("I have copied it");
    await see("Rotate");
  },
  async cursor() {
    await visit(page, "/endpoints/credit");
    await reach("Moment", "slider");
    const slider = page.getByRole("slider", { name: "Moment" });
    for (let presses = 0; presses < 40; presses += 1) await page.keyboard.press("ArrowLeft");
    await page.waitForURL(/at=2026/);
    const said = await slider.getAttribute("aria-valuetext");
    if (!/coins/.test(said)) report.fault(walk, `the slider says ${said}`);
    await page.keyboard.press("Escape");
    await page.waitForURL((url) => !url.search.includes("at="));
    report.checked += 1;
  },
};

try {
  await WALKS[walk]();
} catch (error) {
  const shown = await page.evaluate(() => document.querySelector("dialog[open]")?.innerText ?? document.querySelector("main")?.innerText ?? "");
  report.fault(walk, `${error.message}\n${shown.slice(0, 1500)}`);
}
report.end();
