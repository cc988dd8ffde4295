/* Draws every chart of the page from the JSON beside it. Without this script the tables remain. */
(function () {
  "use strict";

  const drawn = [];

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    return {
      accent: of("--accent"), soft: of("--accent-soft"), ink: of("--ink"), quiet: of("--ink-2"),
      line: of("--line"), second: of("--wait"), surface: of("--surface"), font: style.getPropertyValue("--font"),
    };
  }

  function number(value, unit) {
    if (value === null || value === undefined) return "–";
    const language = document.documentElement.lang;
    if (unit === "ratio") return (100 * value).toLocaleString(language, { maximumFractionDigits: 1 }) + " %";
    return value.toLocaleString(language, unit === "money" ? { minimumFractionDigits: 2 } : {});
  }

  function short(value, unit) {
    const language = document.documentElement.lang;
    if (unit === "ratio") return (100 * value).toLocaleString(language, { maximumFractionDigits: 1 });
    return value.toLocaleString(language, { notation: "compact" });
  }

  function base(payload, colour) {
    return {
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      animationDuration: 300,
      aria: { enabled: true, label: { description: describe(payload) } },
      textStyle: { fontFamily: colour.font, color: colour.quiet },
      grid: { left: 8, right: 8, top: 40, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      tooltip: {
        trigger: "axis", renderMode: "richText", confine: true,
        backgroundColor: colour.surface, borderColor: colour.line, textStyle: { color: colour.ink, fontSize: 12 },
      },
    };
  }

  function describe(payload) {
    const parts = payload.lines.map((line) => {
      const told = line.values.map((value, index) => payload.labels[index] + ": " + number(value, payload.unit));
      return line.name + ": " + told.join(", ");
    });
    return payload.title + ". " + parts.join(". ");
  }

  function axis(name, payload, colour, place) {
    const unit = place === 0 ? payload.unit : "count";
    return {
      type: "value", name, nameLocation: "end", nameGap: 16,
      nameTextStyle: { color: colour.quiet, align: place === 0 ? "left" : "right" },
      position: place === 0 ? "left" : "right",
      min: unit === "score" ? -100 : (extent) => Math.min(0, extent.min),
      max: unit === "score" ? 100 : null,
      minInterval: unit === "count" || unit === "points" ? 1 : 0,
      splitLine: { show: place === 0, lineStyle: { color: colour.line } },
      axisLabel: { color: colour.quiet, formatter: (value) => short(value, unit) },
    };
  }

  function line(given, payload, colour) {
    const own = given.axis === 0 ? colour.accent : colour.second;
    const data = given.values.map((value, index) => ({
      value,
      itemStyle: given.enough[index] ? {} : { color: colour.surface, borderColor: own, borderWidth: 1.5 },
    }));
    if (given.shape === "bar") {
      return [{ name: given.name, type: "bar", data, yAxisIndex: given.axis, color: own, barMaxWidth: 36, itemStyle: { borderRadius: [3, 3, 0, 0] } }];
    }
    const series = [{
      name: given.name, type: "line", data, yAxisIndex: given.axis, color: own, z: 3,
      symbol: given.axis === 0 ? "circle" : "diamond", symbolSize: 7, lineStyle: { width: 2, type: given.axis === 0 ? "solid" : "dashed" },
    }];
    if (!given.bands.some(Boolean)) return series;
    const edge = { type: "line", stack: "band", symbol: "none", silent: true, lineStyle: { opacity: 0 }, tooltip: { show: false }, stackStrategy: "all" };
    const low = given.bands.map((band) => (band ? band[0] : null));
    const width = given.bands.map((band) => (band ? band[1] - band[0] : null));
    return series.concat(
      { ...edge, name: "low", data: low },
      { ...edge, name: "high", data: width, areaStyle: { color: own, opacity: 0.16 } },
    );
  }

  function periods(payload, colour) {
    const option = base(payload, colour);
    option.xAxis = {
      type: "category", data: payload.labels, axisTick: { show: false },
      axisLine: { onZero: false, lineStyle: { color: colour.line } }, axisLabel: { color: colour.quiet, hideOverlap: true },
    };
    option.yAxis = payload.axes.map((name, place) => axis(name, payload, colour, place));
    option.series = payload.lines.flatMap((given) => line(given, payload, colour));
    if (payload.lines.length > 1) {
      option.legend = { data: payload.lines.map((given) => given.name), top: 0, right: "center", textStyle: { color: colour.ink } };
    }
    option.tooltip.formatter = (points) => {
      const at = points[0].dataIndex;
      return [payload.labels[at]].concat(payload.lines.map((given) => {
        const unit = given.axis === 0 ? payload.unit : "count";
        const band = given.bands[at] ? " (" + given.bands[at].map((edge) => number(edge, unit)).join(" … ") + ")" : "";
        return given.name + ": " + number(given.values[at], unit) + band;
      })).join("\n");
    };
    return option;
  }

  function stages(payload, colour) {
    const option = base(payload, colour);
    option.grid = { left: 8, right: 48, top: 8, bottom: 24, outerBoundsMode: "same", outerBoundsContain: "axisLabel" };
    option.yAxis = {
      type: "category", data: payload.labels, inverse: true, axisTick: { show: false },
      axisLine: { lineStyle: { color: colour.line } }, axisLabel: { color: colour.ink },
    };
    option.xAxis = {
      type: "value", name: payload.axes[0], nameLocation: "middle", nameGap: 24, minInterval: 1,
      nameTextStyle: { color: colour.quiet }, splitLine: { lineStyle: { color: colour.line } }, axisLabel: { color: colour.quiet, hideOverlap: true },
    };
    option.series = [{
      type: "bar", color: colour.accent, barMaxWidth: 36, data: payload.lines.map((given) => given.values[0]),
      itemStyle: { borderRadius: [0, 3, 3, 0] },
      label: { show: true, position: "right", color: colour.ink, formatter: (point) => number(point.value, "count") },
    }];
    option.tooltip.formatter = (points) => points[0].name + ": " + number(points[0].value, "count");
    return option;
  }

  function draw(place) {
    const source = document.getElementById(place.dataset.chart);
    const payload = JSON.parse(source.textContent);
    place.hidden = false;
    const chart = echarts.init(place, null, { renderer: "svg" });
    const paint = () => chart.setOption((payload.kind === "stages" ? stages : periods)(payload, colours()), true);
    paint();
    new ResizeObserver(() => chart.resize()).observe(place);
    drawn.push(paint);
  }

  document.querySelectorAll("[data-chart]").forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((paint) => paint()));
})();
