// Reads a QR code with the camera where the browser can do so by itself (BarcodeDetector); elsewhere the button stays hidden.
"use strict";

const LOOK_EVERY = 150; // milliseconds between two looks at the picture

class Viewfinder {
  constructor(form, detector) {
    this.form = form;
    this.detector = detector;
    this.panel = form.querySelector("[data-viewfinder]");
    this.video = this.panel.querySelector("video");
    this.line = this.panel.querySelector("[role=status]");
    this.hint = this.line.textContent;
  }

  async open() {
    this.panel.hidden = false;
    this.line.textContent = this.hint;
    try {
      this.video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      await this.video.play();
      this.look();
    } catch {
      this.line.textContent = "打不开摄像头：请在浏览器中允许使用，或改用扫码枪、手工输入。";
    }
  }

  async look() {
    if (!this.video.srcObject) return;
    const [code] = await this.detector.detect(this.video).catch(() => []);
    if (!code) {
      setTimeout(() => this.look(), LOOK_EVERY);
      return;
    }
    this.close();
    this.form.elements.code.value = code.rawValue;
    this.form.requestSubmit();
  }

  close() {
    for (const track of this.video.srcObject?.getTracks() ?? []) track.stop();
    this.video.srcObject = null;
    this.panel.hidden = true;
  }
}

async function offerCamera(form) {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices) return;
  if (!(await BarcodeDetector.getSupportedFormats()).includes("qr_code")) return;
  const finder = new Viewfinder(form, new BarcodeDetector({ formats: ["qr_code"] }));
  const button = form.querySelector("[data-camera]");
  button.hidden = false;
  button.addEventListener("click", () => finder.open());
  finder.panel.querySelector("[data-stop]").addEventListener("click", () => {
    finder.close();
    form.elements.code.focus();
  });
  window.addEventListener("pagehide", () => finder.close());
}

document.querySelectorAll("[data-scan]").forEach(offerCamera);
