import { BarChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import type { Histogram } from '../api/wire.ts';
import { useIsDark } from '../shell/theme.ts';

use([BarChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

/** Order, name and colours (light, dark) of what is stacked. */
const SERIES = [
  { group: 'allow', name: 'Allowed', colours: ['#0972d3', '#42b4ff'] },
  { group: 'redact', name: 'Redacted', colours: ['#e07941', '#ffb347'] },
  { group: 'deny', name: 'Refused', colours: ['#ba2e0f', '#ff7a7a'] },
  { group: 'error', name: 'Failed', colours: ['#7d2105', '#e05d44'] },
  { group: '', name: 'No call', colours: ['#9ba7b6', '#656871'] },
] as const;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

function timeLabel(at: number, spanMs: number): string {
  const date = new Date(at);
  const clock = date.toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
    ...(spanMs <= 10 * MINUTE_MS ? { second: '2-digit' } : {}),
  });
  return spanMs > DAY_MS ? `${date.toLocaleDateString(undefined, { month: 'short', day: 'numeric' })} ${clock}` : clock;
}

/** Events over time, stacked by decision. A click on a bar looks closer at its span. */
export function EventsChart({
  histogram,
  onPick,
}: {
  readonly histogram: Histogram;
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
    const { buckets, from, to, intervalMs } = histogram;
    const [ink, line] = isDark ? ['#a4a4ad', '#333a44'] : ['#5f6b7a', '#e4e7eb'];
    const present = SERIES.filter(({ group }) => buckets.some(({ groups }) => (groups?.[group] ?? 0) > 0));
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: '"Open Sans", sans-serif' },
      grid: { left: 8, right: 8, top: 30, bottom: 4, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 12, textStyle: { color: ink } },
      tooltip: {
        trigger: 'axis',
        axisPointer: { type: 'shadow' },
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
      yAxis: {
        type: 'value',
        minInterval: 1,
        axisLabel: { color: ink },
        splitLine: { lineStyle: { color: line } },
      },
      series: present.map(({ group, name, colours }) => ({
        type: 'bar',
        stack: 'decision',
        name,
        cursor: 'pointer',
        barCategoryGap: '12%',
        itemStyle: { color: colours[isDark ? 1 : 0] },
        data: buckets.map(({ groups }) => groups?.[group] ?? 0),
      })),
    });
    chart.on('click', ({ dataIndex }) => {
      const bucket = buckets[dataIndex];
      if (bucket) onPick(bucket.at, bucket.at + intervalMs);
    });
    return () => {
      observer.disconnect();
      chart.dispose();
    };
  }, [histogram, isDark, onPick]);
  const total = histogram.buckets.reduce((sum, { count }) => sum + count, 0);
  return <div ref={place} role="img" aria-label={`Histogram of ${total} events`} style={{ height: 150 }} />;
}
