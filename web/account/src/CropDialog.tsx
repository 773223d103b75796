import { useEffect, useId, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { type Crop, cut, draw, MAX_ZOOM, middleOf, moved, zoomed } from "./crop";
import { Dialog } from "./Dialog";
import { Failure } from "./Failure";
import { useTexts } from "./texts/language";
import { useChange } from "./useChange";

/** As many pixels as a sharp screen shows. */
const SIDE = 512;

/** What a key moves, as a part of the square. */
const STEP = 0.05;

const MOVES: Record<string, [right: number, down: number]> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

// "=" is the key of "+" without Shift.
const ZOOMS: Record<string, number> = { "+": 1.1, "=": 1.1, "-": 1 / 1.1 };

/** Asks for the square of a picture that is kept, and saves it. */
export function CropDialog(props: {
  picture: ImageBitmap;
  save: (file: Blob) => Promise<void>;
  cancel: () => void;
}) {
  const { picture } = props;
  const texts = useTexts();
  const { error, isBusy, change } = useChange();
  const [crop, setCrop] = useState(() => middleOf(picture));
  const id = useId();

  const save = () => change(async () => props.save(await cut(picture, crop)));
  const zoom = (to: number) => setCrop((crop) => zoomed(crop, picture, to));

  return (
    // A picture that is being sent cannot be taken back.
    <Dialog title={texts.picture.crop} cancel={() => !isBusy && props.cancel()}>
      <Preview picture={picture} crop={crop} setCrop={setCrop} describedBy={`${id}-hint`} />
      <p id={`${id}-hint`} className="hint">
        {texts.picture.hint}
      </p>
      <div className="field">
        <label htmlFor={id}>{texts.picture.zoom}</label>
        <input
          id={id}
          type="range"
          min={1}
          max={MAX_ZOOM}
          step={0.01}
          value={crop.zoom}
          aria-valuetext={`${Math.round(crop.zoom * 100)} %`}
          onChange={(event) => zoom(event.target.valueAsNumber)}
        />
      </div>
      <Failure error={error} />
      <div className="buttons">
        <button
          type="button"
          className="primary"
          aria-disabled={isBusy}
          onClick={() => void save()}
        >
          {isBusy ? texts.busy : texts.picture.save}
        </button>
        <button type="button" aria-disabled={isBusy} onClick={() => !isBusy && props.cancel()}>
          {texts.proof.cancel}
        </button>
      </div>
    </Dialog>
  );
}

/** The square, which a pointer drags, two fingers zoom, and keys do both. */
function Preview(props: {
  picture: ImageBitmap;
  crop: Crop;
  setCrop: (change: (crop: Crop) => Crop) => void;
  describedBy: string;
}) {
  const { picture, crop, setCrop } = props;
  const texts = useTexts().picture;
  const canvas = useRef<HTMLCanvasElement>(null);
  const fingers = useRef(new Map<number, { x: number; y: number }>());

  useEffect(() => {
    if (canvas.current) draw(canvas.current, picture, crop);
  }, [picture, crop]);

  function press(event: KeyboardEvent) {
    const [move, zoom] = [MOVES[event.key], ZOOMS[event.key]];
    if (event.ctrlKey || event.metaKey || event.altKey || !(move || zoom)) return;
    event.preventDefault();
    setCrop((crop) =>
      move
        ? moved(crop, picture, ...move)
        : zoomed(crop, picture, crop.zoom * (zoom ?? 1)),
    );
  }

  function touch(event: PointerEvent<HTMLCanvasElement>) {
    event.currentTarget.setPointerCapture(event.pointerId);
    fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  function drag({ pointerId, clientX, clientY, currentTarget }: PointerEvent) {
    const before = fingers.current.get(pointerId);
    if (!before) return;
    const distance = distanceOf(fingers.current);
    fingers.current.set(pointerId, { x: clientX, y: clientY });
    const pinched = distance > 0 ? distanceOf(fingers.current) / distance : 1;
    // Two fingers that move together move it as far as each of them.
    const width = currentTarget.clientWidth * fingers.current.size;
    const [right, down] = [(clientX - before.x) / width, (clientY - before.y) / width];
    setCrop((crop) => zoomed(moved(crop, picture, right, down), picture, crop.zoom * pinched));
  }

  const release = ({ pointerId }: PointerEvent) => fingers.current.delete(pointerId);

  return (
    <canvas
      ref={canvas}
      className="crop"
      width={SIDE}
      height={SIDE}
      tabIndex={0}
      // Screen readers then leave the arrow keys to the page.
      role="application"
      aria-label={texts.part}
      aria-describedby={props.describedBy}
      onKeyDown={press}
      onPointerDown={touch}
      onPointerMove={drag}
      onPointerUp={release}
      onPointerCancel={release}
    />
  );
}

/** Return how far two fingers are apart, or 0 if there are not two. */
function distanceOf(fingers: Map<number, { x: number; y: number }>): number {
  const [one, other] = [...fingers.values()];
  return one && other && fingers.size === 2 ? Math.hypot(one.x - other.x, one.y - other.y) : 0;
}
