/** Shows how loud a microphone is. */
export class Meter {
  private readonly context = new AudioContext();
  private readonly analyser = this.context.createAnalyser();
  private readonly samples: Float32Array<ArrayBuffer>;
  private source: MediaStreamAudioSourceNode | null = null;
  private frame = 0;
  private shown = 0;

  constructor(private readonly bars: readonly HTMLElement[]) {
    this.analyser.fftSize = 1024;
    this.samples = new Float32Array(this.analyser.fftSize);
  }

  /** Listen to this stream's microphone, or to nothing. */
  listen(stream: MediaStream | null): void {
    this.source?.disconnect();
    cancelAnimationFrame(this.frame);
    this.source = null;
    this.show(0);
    if (!stream?.getAudioTracks().length) return;
    void this.context.resume();
    this.source = this.context.createMediaStreamSource(new MediaStream(stream.getAudioTracks()));
    this.source.connect(this.analyser);
    this.frame = requestAnimationFrame(this.look);
  }

  private readonly look = (): void => {
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
    const decibels = 10 * Math.log10(power + 1e-10);
    const loud = Math.min(1, Math.max(0, (decibels + 60) / 50)); // -60 dBFS is quiet, -10 is loud
    this.show(Math.max(loud, this.shown * 0.92));
    this.frame = requestAnimationFrame(this.look);
  };

  private show(loud: number): void {
    this.shown = loud;
    const lit = Math.round(loud * this.bars.length);
    this.bars.forEach((bar, number) => bar.classList.toggle("lit", number < lit));
  }
}
