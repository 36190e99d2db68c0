import '../graph/graph.css';
import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import { useNavigate } from '@tanstack/react-router';
import { BOX_HEIGHT, BOX_WIDTH, drawFourthParties } from './fourth-party-layout.ts';
import type { FourthParty } from './vendor-queries.ts';

/** Who rests on whom: the table below says the same in words. */
export function FourthPartyGraph({ parties }: { readonly parties: readonly FourthParty[] }) {
  const navigate = useNavigate();
  const { boxes, lines, width, height, left } = drawFourthParties(parties);
  if (boxes.length === 0) return null;
  return (
    <Container header={<Header variant="h3">Who rests on whom</Header>}>
      <div className="radius-frame" role="region" aria-label="Vendors and their fourth parties" tabIndex={0}>
        <div className="radius-canvas" style={{ width, height }}>
          <svg width={width} height={height} aria-hidden="true">
            {lines.map(({ from, to, width: stroke }) => {
              const [x1, y1] = [from.x + BOX_WIDTH, from.y + BOX_HEIGHT / 2];
              const [x2, y2] = [to.x, to.y + BOX_HEIGHT / 2];
              const middle = (x1 + x2) / 2;
              return (
                <path
                  key={`${from.id} ${to.id}`}
                  className="radius-line"
                  style={{ strokeWidth: stroke }}
                  d={`M${x1},${y1} C${middle},${y1} ${middle},${y2} ${x2},${y2}`}
                />
              );
            })}
          </svg>
          {boxes.map(({ id, title, x, y, isVendor }) => {
            const style = { left: x, top: y, width: BOX_WIDTH, height: BOX_HEIGHT };
            return isVendor ? (
              <button
                key={id}
                type="button"
                className="radius-box radius-normal"
                style={style}
                onClick={() => void navigate({ to: '/vendors/$id', params: { id } })}
              >
                <span className="radius-title">{title}</span>
              </button>
            ) : (
              <div key={id} className="radius-box radius-start" style={{ ...style, cursor: 'default' }}>
                <span className="radius-title">{title}</span>
              </div>
            );
          })}
        </div>
      </div>
      {left > 0 ? <Box color="text-body-secondary">{`${left} more are only in the table.`}</Box> : null}
    </Container>
  );
}
