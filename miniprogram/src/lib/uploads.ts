/** The files of an application while they travel: each with its own progress, each to be tried again or taken back. */
import { reactive } from 'vue'
import type { KeptFile, KeptMaterial } from './draft'
import { troubleOf } from './errors'
import { t } from './i18n'
import { MOST_PDF_BYTES, MOST_PICTURE_BYTES, shrunk, tooLarge, wrongKind, type Chosen } from './pictures'
import { sizeText } from './format'
import { api } from './session'
import type { Upload } from './types'

export interface Travelling {
  key: number
  name: string
  size: number
  media_type: string
  preview: string
  state: 'waiting' | 'sending' | 'ready' | 'failed'
  progress: number
  id: string
  message: string
  chosen: Chosen | null
}

let last = 0

/** All files of one application, by material code. */
export class Luggage {
  readonly files = reactive<Record<string, Travelling[]>>({})
  private queue: Promise<void> = Promise.resolve()

  constructor(private readonly changed: () => void) {}

  of(material: string): Travelling[] {
    return this.files[material] ?? []
  }

  /** Puts back what an earlier visit uploaded. */
  restore(materials: Record<string, KeptMaterial>): void {
    for (const [code, kept] of Object.entries(materials)) {
      this.files[code] = kept.files.map((file) => ({ ...this.blank(file), state: 'ready', progress: 100, id: file.id }))
    }
  }

  add(material: string, all: Chosen[]): void {
    this.files[material] ??= []
    // Read again: only what comes out of the reactive record is watched by the screen.
    const list = this.of(material)
    for (const chosen of all) {
      list.push({ ...this.blank(chosen), preview: chosen.preview, chosen })
      const file = list[list.length - 1] as Travelling
      if (this.refuse(file, chosen)) continue
      this.send(file)
    }
  }

  again(file: Travelling): void {
    if (file.chosen && !this.refuse(file, file.chosen)) this.send(file)
  }

  remove(material: string, key: number): void {
    const list = this.of(material)
    const place = list.findIndex((file) => file.key === key)
    if (place >= 0) list.splice(place, 1)
    this.changed()
  }

  /** What the server has of this material. */
  ready(material: string): KeptFile[] {
    return this.of(material)
      .filter((file) => file.state === 'ready')
      .map(({ id, name, media_type, size }) => ({ id, name, media_type, size }))
  }

  get isTravelling(): boolean {
    return Object.values(this.files).some((list) => list.some((file) => file.state === 'waiting' || file.state === 'sending'))
  }

  private blank(file: { name: string; size: number; media_type: string }): Travelling {
    last += 1
    return {
      key: last,
      name: file.name,
      size: file.size,
      media_type: file.media_type,
      preview: '',
      state: 'waiting',
      progress: 0,
      id: '',
      message: '',
      chosen: null,
    }
  }

  private refuse(file: Travelling, chosen: Chosen): boolean {
    if (wrongKind(chosen)) return this.fail(file, t('file.wrongKind'))
    // A large picture may still become small enough; a PDF stays as it is.
    if (chosen.media_type === 'application/pdf' && tooLarge(chosen))
      return this.fail(file, t('file.tooLarge', { limit: sizeText(MOST_PDF_BYTES) }))
    return false
  }

  private fail(file: Travelling, message: string): true {
    file.state = 'failed'
    file.message = message
    return true
  }

  /** One after another: on a village's network two at once only make both slow. */
  private send(file: Travelling): void {
    Object.assign(file, { state: 'waiting', progress: 0, message: '' })
    this.queue = this.queue.then(() => this.carry(file))
  }

  private async carry(file: Travelling): Promise<void> {
    const chosen = await shrunk(file.chosen as Chosen)
    if (tooLarge(chosen)) {
      this.fail(file, t('file.tooLarge', { limit: sizeText(MOST_PICTURE_BYTES) }))
      return
    }
    Object.assign(file, { state: 'sending', size: chosen.size, name: chosen.name })
    try {
      const upload = await api.upload<Upload>(chosen.source, (percent) => {
        file.progress = percent
      })
      Object.assign(file, { state: 'ready', progress: 100, id: upload.id, media_type: upload.media_type, size: upload.size, chosen: null })
    } catch (error) {
      const trouble = troubleOf(error)
      this.fail(file, trouble.text || trouble.title)
    }
    this.changed()
  }
}
