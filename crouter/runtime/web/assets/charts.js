// Draws each chart from the numbers in its own table. Without uPlot, or without this, the tables are there.

const UNITS = {
  cost: (value) => `$${value >= 1 ? value.toFixed(2) : String(Number(value.toPrecision(2)))}`,
  tokens: (value) => compact.format(value),
  requests: (value) => compact.format(value),
};
const compact = new Intl.NumberFormat("en", { notation: "compact" });
const HEIGHT = 200;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function numbers(figure, measure) {
  const rows = [...figure.querySelectorAll("tbody tr")];
  return {
    names: rows.map((row) => row.dataset.name),
    values: rows.map((row) => Number(row.querySelector(`[data-measure="${measure}"]`).dataset.value)),
    told: rows.map((row) => row.querySelector(`[data-measure="${measure}"]`).textContent),
  };
}

function options(names, measure, width) {
  const quiet = colour("--quiet");
  const font = `12px ${colour("--sign")}`;
  const grid = { stroke: colour("--chart-grid"), width: 1 };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: {
      x: { time: false, range: [-0.6, names.length - 0.4] },
      y: { range: (plot, least, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    axes: [
      {
        stroke: quiet,
        font,
        grid: { show: false },
        ticks: { show: false },
        size: 30,
        splits: () => ticks(names, width),
        values: (plot, splits) => splits.map((index) => short(names[index], width)),
      },
      {
        stroke: quiet,
        font,
        grid,
        ticks: { show: false },
        size: 64,
        values: (plot, splits) => splits.map(UNITS[measure]),
      },
    ],
    series: [
      {},
      {
        fill: colour("--chart-1"),
        stroke: colour("--chart-1"),
        width: 0,
        paths: uPlot.paths.bars({ size: [0.75, 60] }),
        points: { show: false },
      },
    ],
  };
}

// As many names below the bars as fit.
function ticks(names, width) {
  const longest = Math.max(...names.map((name) => name.length));
  const room = Math.max(1, Math.floor((width - 80) / (Math.min(longest, 18) * 7.5 + 14)));
  const step = Math.max(1, Math.ceil(names.length / room));
  return names.map((name, index) => index).filter((index) => index % step === 0);
}

function short(name, width) {
  const most = width < 500 ? 12 : 22;
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.place = figure.querySelector(".plot");
    this.reading = document.createElement("p");
    this.reading.className = "reading quiet";
    this.place.hidden = false;
    this.place.after(this.reading);
  }

  draw(measure) {
    const { names, values, told } = numbers(this.figure, measure);
    const title = this.figure.querySelector("h3").textContent;
    const most = values.indexOf(Math.max(...values));
    this.place.setAttribute("role", "img");
    this.place.setAttribute("aria-label", `${title}: ${measure}. Most at ${names[most]}, ${told[most]}. All numbers below.`);
    this.reading.textContent = `Most at ${names[most]}: ${told[most]}`;
    this.plot?.destroy();
    const chosen = options(names, measure, this.place.clientWidth);
    chosen.hooks = {
      setCursor: [
        (plot) => {
          const index = plot.cursor.idx ?? most;
          this.reading.textContent = `${index === most ? "Most at " : ""}${names[index]}: ${told[index]}`;
        },
      ],
    };
    this.plot = new uPlot(chosen, [names.map((name, index) => index), values], this.place);
  }
}

function begin() {
  const charts = [...document.querySelectorAll("[data-chart]")]
    .filter((figure) => figure.querySelector(".plot") !== null)
    .map((figure) => new Chart(figure));
  const chooser = document.getElementById("measure");
  if (charts.length === 0 || chooser === null) {
    return;
  }
  const draw = () => {
    const measure = chooser.querySelector("input:checked").value;
    charts.forEach((chart) => chart.draw(measure));
  };
  chooser.hidden = false;
  chooser.addEventListener("change", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let width = 0;
  new ResizeObserver(([entry]) => {
    // Only a new width is a reason: drawing changes the height.
    if (entry.contentRect.width !== width) {
      width = entry.contentRect.width;
      draw();
    }
  }).observe(charts[0].place.parentElement);
}

if (typeof uPlot === "function") {
  begin();
}
