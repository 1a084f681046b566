// What a browser says of pages: node page.cjs NODE_MODULES CHROMIUM FILE.html ...
// Out: one JSON object for each page: errors, requests, violations, widths, pages in print.
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const [modules, chromium, ...files] = process.argv.slice(2);
const from = (name) => require(require.resolve(name, { paths: [path.resolve(modules)] }));
const puppeteer = from("puppeteer-core");
const axe = from("axe-core").source;

const SCREENS = [
  { name: "desktop", width: 1280, scheme: "light" },
  { name: "desktop, dark", width: 1280, scheme: "dark" },
  { name: "telephone", width: 390, scheme: "light" },
  { name: "telephone, dark", width: 390, scheme: "dark" },
];

async function look(browser, file) {
  const page = await browser.newPage();
  const url = pathToFileURL(path.resolve(file)).href;
  const found = { errors: [], requests: [], violations: [], widths: {}, scrolled: {}, shrunk: {}, columns: {} };
  page.on("console", (message) => found.errors.push(message.text()));
  page.on("pageerror", (error) => found.errors.push(String(error)));
  page.on("request", (request) => {
    const asked = request.url();
    if (asked !== url && !asked.startsWith("data:")) found.requests.push(asked);
  });
  for (const { name, width, scheme } of SCREENS) {
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.goto(url, { waitUntil: "load" });
    found.widths[name] = await page.evaluate(() => document.scrollingElement.scrollWidth);
    found.scrolled[name] = await page.evaluate(() =>
      [...document.querySelectorAll("math")]
        .filter((math) => !math.closest('[tabindex="0"]'))
        .filter((math) => math.getBoundingClientRect().right > innerWidth + 1)
        .map((math) => math.textContent),
    );
    found.shrunk[name] = await page.evaluate(() =>
      [...document.querySelectorAll("figure svg")]
        .map((svg) => [svg, Math.min((parseFloat(svg.style.width) * 96) / 2.54, 32 * 16)])
        .filter(([svg, least]) => svg.getBoundingClientRect().width < least - 1)
        .map(([svg]) => svg.getAttribute("aria-labelledby")),
    );
    found.columns[name] = await page.evaluate(() =>
      [...document.querySelectorAll(".bp-many")].map(
        (rows) => new Set([...rows.children].map((row) => Math.round(row.getBoundingClientRect().left))).size,
      ),
    );
    await page.evaluate(axe);
    const report = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
    for (const violation of report.violations)
      found.violations.push(`${name}: ${violation.id}: ${violation.nodes[0].html.slice(0, 200)}`);
  }
  found.font = await page.evaluate(() => [...document.fonts].map((font) => `${font.family}: ${font.status}`));
  found.pdf = (await page.pdf({ preferCSSPageSize: true })).length;
  await page.close();
  return found;
}

(async () => {
  const browser = await puppeteer.launch({
    executablePath: chromium,
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    for (const file of files) console.log(JSON.stringify(await look(browser, file)));
  } finally {
    await browser.close();
  }
})();
