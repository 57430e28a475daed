/** The number of unread messages on the window's icon. */

const SIZE = 64;

let plain = "";
let wanted = 0;

/** Draw the number; nothing for 0. */
export async function draw(unread) {
  if (wanted === unread) return;
  wanted = unread;
  const link = document.querySelector("link[rel=icon]");
  plain ||= link.href;
  if (!unread) {
    link.href = plain;
    return;
  }
  const image = new Image(SIZE, SIZE);
  image.src = plain;
  await image.decode();
  if (wanted !== unread) return;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0, SIZE, SIZE);
  pen.fillStyle = "#d92d20";
  pen.beginPath();
  pen.arc(43, 21, 21, 0, 7);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.font = `bold ${unread > 9 ? 27 : 33}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(unread > 99 ? "…" : unread, 43, 22.5);
  link.href = canvas.toDataURL();
}
