// Looks at pages of the board as a person's browser shows them: their words, what axe finds wrong, and a picture of each.
// Arguments: the folder for pictures, and a JSON list of {name, url, width, dark}. Prints one JSON object per page.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

const [folder, listed] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: QUIET });
for (const { name, url, width, dark } of JSON.parse(listed)) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? "dark" : "light",
    bypassCSP: true, // for axe, which is put into the page; what the page itself asks for is told below
  });
  const page = await context.newPage();
  const asked = [];
  const wrong = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  await page.goto(url);
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.textContent);
  await page.evaluate(axe);
  const found = await page.evaluate((rules) => axe.run({ runOnly: { type: "tag", values: rules } }), RULES);
  const scrolls = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  const sideways = await page.evaluate(() => [...document.querySelectorAll(".qd-scroll")]
    .filter((frame) => frame.scrollWidth > frame.clientWidth)
    .map((frame) => [frame.querySelector("caption").innerText, Math.max(...[...frame.querySelectorAll("tr")].map((row) => row.cells.length))]));
  const violations = found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0].html.slice(0, 200)}`);
  const words = await page.innerText("body");
  console.log(JSON.stringify({ name, words, violations, asked, wrong, first, scrolls, sideways }));
  await context.close();
}
await browser.close();
