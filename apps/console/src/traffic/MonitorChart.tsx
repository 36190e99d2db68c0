import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import type { MonitorSeries } from '../api/wire.ts';
import { useIsDark } from '../shell/theme.ts';

use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

const DAY_MS = 86_400_000;

type Bucket = MonitorSeries['buckets'][number];
interface Line {
  readonly name: string;
  readonly kind: 'bar' | 'line';
  readonly colours: readonly [light: string, dark: string];
  readonly dashed?: boolean;
  readonly value: (one: Bucket) => number | null;
}

const BLUE = ['#0972d3', '#42b4ff'] as const;
const RED = ['#ba2e0f', '#ff7a7a'] as const;
const ORANGE = ['#e07941', '#ffb347'] as const;
const GREY = ['#7d8998', '#a4a4ad'] as const;

/** What a chart shows; a click on its bar opens the events of it. */
export const MONITOR_CHARTS = {
  calls: [
    { name: 'Served', kind: 'bar', colours: BLUE, value: (one) => one.calls - one.refusals - one.failures },
    { name: 'Failed', kind: 'bar', colours: RED, value: (one) => one.failures },
    { name: 'Refused', kind: 'bar', colours: ORANGE, value: (one) => one.refusals },
    { name: 'Usual', kind: 'line', colours: GREY, dashed: true, value: (one) => one.usual },
  ],
  latency: [
    { name: 'Median', kind: 'line', colours: BLUE, value: (one) => (one.calls === 0 ? null : one.p50) },
    { name: '95th percentile', kind: 'line', colours: ORANGE, value: (one) => (one.calls === 0 ? null : one.p95) },
    { name: '99th percentile', kind: 'line', colours: RED, value: (one) => (one.calls === 0 ? null : one.p99) },
  ],
  data: [
    { name: 'Bytes out', kind: 'bar', colours: BLUE, value: (one) => one.responseBytes },
    { name: 'Records out', kind: 'line', colours: ORANGE, value: (one) => one.records },
  ],
} as const satisfies Record<string, readonly Line[]>;

function timeLabel(at: number, spanMs: number): string {
  const date = new Date(at);
  const clock = date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
  return spanMs > DAY_MS ? `${date.toLocaleDateString(undefined, { month: 'short', day: 'numeric' })} ${clock}` : clock;
}

export function MonitorChart({
  series,
  chart: kind,
  label,
  onPick,
}: {
  readonly series: MonitorSeries;
  readonly chart: keyof typeof MONITOR_CHARTS;
  readonly label: string;
  readonly onPick: (from: number, to: number) => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const isDark = useIsDark();
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const chart = init(element, null, { renderer: 'canvas' });
    const observer = new ResizeObserver(() => chart.resize());
    observer.observe(element);
    const { buckets, from, to, stepMs } = series;
    const [ink, line] = isDark ? ['#a4a4ad', '#333a44'] : ['#5f6b7a', '#e4e7eb'];
    const lines: readonly Line[] = MONITOR_CHARTS[kind];
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: '"Open Sans", sans-serif' },
      grid: { left: 8, right: 8, top: 30, bottom: 4, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 12, textStyle: { color: ink } },
      tooltip: {
        trigger: 'axis',
        backgroundColor: isDark ? '#1b232d' : '#ffffff',
        borderColor: line,
        textStyle: { color: isDark ? '#ebebf0' : '#0f141a' },
      },
      xAxis: {
        type: 'category',
        data: buckets.map(({ at }) => timeLabel(at, to - from)),
        axisLine: { lineStyle: { color: line } },
        axisTick: { show: false },
        axisLabel: { color: ink },
      },
      yAxis: { type: 'value', axisLabel: { color: ink }, splitLine: { lineStyle: { color: line } } },
      series: lines.map(({ name, kind: type, colours, dashed = false, value }) => {
        const colour = colours[isDark ? 1 : 0];
        return {
          type,
          name,
          cursor: 'pointer',
          ...(type === 'bar'
            ? { stack: 'calls', barCategoryGap: '12%' }
            : { symbol: 'circle', symbolSize: 4, showSymbol: !dashed, showAllSymbol: true }),
          itemStyle: { color: colour },
          lineStyle: { color: colour, type: dashed ? 'dashed' : 'solid' },
          data: buckets.map(value),
        };
      }),
    });
    chart.on('click', ({ dataIndex }) => {
      const bucket = buckets[dataIndex];
      if (bucket) onPick(bucket.at, bucket.at + stepMs);
    });
    return () => {
      observer.disconnect();
      chart.dispose();
    };
  }, [series, kind, isDark, onPick]);
  return <div ref={place} role="img" aria-label={label} style={{ height: 190 }} />;
}
