import './graph.css';
import Box from '@cloudscape-design/components/box';
import type { Radius } from './graph-queries.ts';
import { BOX_HEIGHT, BOX_WIDTH, drawRadius } from './radius-layout.ts';

/** The radius as a picture: what is reached stands further right the more steps it takes. */
export function RadiusDrawing({ radius, onOpen }: { readonly radius: Radius; readonly onOpen: (id: string) => void }) {
  const { boxes, lines, width, height, left } = drawRadius(radius);
  return (
    <>
      <div className="radius-frame" role="region" aria-label={`Blast radius of ${radius.start.name}`} tabIndex={0}>
        <div className="radius-canvas" style={{ width, height }}>
          <svg width={width} height={height} aria-hidden="true">
            {lines.map(({ from, to }) => {
              const [x1, y1] = [from.x + BOX_WIDTH, from.y + BOX_HEIGHT / 2];
              const [x2, y2] = [to.x, to.y + BOX_HEIGHT / 2];
              const middle = (x1 + x2) / 2;
              return (
                <path
                  key={`${from.id} ${to.id}`}
                  className="radius-line"
                  d={`M${x1},${y1} C${middle},${y1} ${middle},${y2} ${x2},${y2}`}
                />
              );
            })}
          </svg>
          {boxes.map(({ id, title, detail, x, y, tone }) => (
            <button
              key={id}
              type="button"
              className={`radius-box radius-${tone}`}
              style={{ left: x, top: y, width: BOX_WIDTH, height: BOX_HEIGHT }}
              onClick={() => onOpen(id)}
            >
              <span className="radius-title">{title}</span>
              <span className="radius-detail">{detail}</span>
            </button>
          ))}
        </div>
      </div>
      {left > 0 ? (
        <Box color="text-body-secondary">{left} more are in the tables below and not in the picture.</Box>
      ) : null}
    </>
  );
}
