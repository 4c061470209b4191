// The photo that is looked for: chosen, dropped, pasted or photographed; and a box on it, in its own pixels.

import { showSmall } from "./api.js";

const STEP = 0.04;
const LEAST = 0.06;

export class PhotoField {
  constructor(elements, onChange) {
    Object.assign(this, elements); // drop, photo, box, help, boxHelp, whole, inputs
    this.onChange = onChange;
    this.file = null;
    this.part = null; // [left, top, right, bottom], shares of the photo as it is shown
    this.listen();
  }

  get pixels() {
    if (!this.part) return null;
    const { naturalWidth: width, naturalHeight: height } = this.photo;
    const [left, top, right, bottom] = this.part;
    return [left * width, top * height, right * width, bottom * height].map(Math.round);
  }

  take(file) {
    if (!file) return;
    this.file = file;
    this.part = null;
    this.photo.onload = () => this.draw();
    this.photo.onerror = () => { this.photo.hidden = true; this.help.hidden = false; };
    this.photo.removeAttribute("srcset");
    this.photo.classList.remove("small");
    this.photo.src = URL.createObjectURL(file);
    this.photo.hidden = false;
    this.help.hidden = true;
    this.boxHelp.hidden = false;
    this.drop.classList.add("full");
    this.draw();
    this.onChange();
  }

  // Show what an item looks like, which is no photo of the searcher's: no box can be drawn on it.
  showItem(url) {
    this.file = null;
    this.part = null;
    this.photo.hidden = !url;
    this.photo.classList.add("small");
    if (url) showSmall(this.photo, url);
    this.help.hidden = Boolean(url);
    this.boxHelp.hidden = true;
    this.drop.classList.remove("full");
    this.draw();
  }

  listen() {
    for (const input of this.inputs) {
      input.addEventListener("change", () => { this.take(input.files[0]); input.value = ""; });
    }
    document.addEventListener("paste", (event) => {
      const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
      if (file) { event.preventDefault(); this.take(file); }
    });
    for (const name of ["dragover", "dragleave", "drop"]) {
      document.addEventListener(name, (event) => {
        event.preventDefault();
        this.drop.classList.toggle("over", name === "dragover");
        if (name === "drop") this.take(event.dataTransfer.files[0]);
      });
    }
    this.drop.addEventListener("pointerdown", (event) => this.begin(event));
    this.drop.addEventListener("keydown", (event) => this.key(event));
    this.whole.addEventListener("click", () => this.choose(null));
    new ResizeObserver(() => this.draw()).observe(this.drop);
  }

  begin(event) {
    if (!this.file) { this.inputs[0].click(); return; }
    event.preventDefault();
    this.drop.focus();
    const from = this.share(event);
    const move = (next) => {
      const to = this.share(next);
      this.part = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])];
      this.draw();
    };
    const end = () => {
      this.drop.removeEventListener("pointermove", move);
      this.drop.removeEventListener("pointerup", end);
      this.drop.removeEventListener("pointercancel", end);
      const [left, top, right, bottom] = this.part || [0, 0, 0, 0];
      if (this.part) this.choose(right - left < LEAST || bottom - top < LEAST ? null : this.part);
    };
    this.drop.setPointerCapture(event.pointerId);
    this.drop.addEventListener("pointermove", move);
    this.drop.addEventListener("pointerup", end);
    this.drop.addEventListener("pointercancel", end);
  }

  key(event) {
    if (event.key === "Enter" || (event.key === " " && !this.file)) { event.preventDefault(); this.inputs[0].click(); return; }
    if (!this.file) return;
    if (event.key === "Escape") { this.choose(null); return; }
    const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (!way) return;
    event.preventDefault();
    let [left, top, right, bottom] = this.part || [0.2, 0.2, 0.8, 0.8];
    if (event.shiftKey) {
      right = Math.min(1, Math.max(left + LEAST, right + way[0]));
      bottom = Math.min(1, Math.max(top + LEAST, bottom + way[1]));
    } else {
      const across = Math.min(1 - right, Math.max(-left, way[0]));
      const down = Math.min(1 - bottom, Math.max(-top, way[1]));
      [left, right, top, bottom] = [left + across, right + across, top + down, bottom + down];
    }
    this.choose([left, top, right, bottom]);
  }

  choose(part) {
    this.part = part;
    this.draw();
    this.onChange();
  }

  shown() {
    // Where the photo lies within the element: object-fit leaves margins.
    const { clientWidth: width, clientHeight: height, naturalWidth, naturalHeight } = this.photo;
    const scale = Math.min(width / naturalWidth, height / naturalHeight) || 1;
    const [wide, high] = [naturalWidth * scale, naturalHeight * scale];
    return { left: this.photo.offsetLeft + (width - wide) / 2, top: this.photo.offsetTop + (height - high) / 2, wide, high };
  }

  share(event) {
    const frame = this.drop.getBoundingClientRect();
    const at = this.shown();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [
      within((event.clientX - frame.left - this.drop.clientLeft - at.left) / at.wide),
      within((event.clientY - frame.top - this.drop.clientTop - at.top) / at.high),
    ];
  }

  draw() {
    this.box.hidden = !this.part;
    this.whole.hidden = !this.part;
    if (!this.part) return;
    const at = this.shown();
    const [left, top, right, bottom] = this.part;
    this.box.style.left = `${at.left + left * at.wide}px`;
    this.box.style.top = `${at.top + top * at.high}px`;
    this.box.style.width = `${(right - left) * at.wide}px`;
    this.box.style.height = `${(bottom - top) * at.high}px`;
  }
}
