/** Choosing and shrinking photographs before they travel: most phone pictures are ten times larger than a clerk can use. */
import type { FileSource } from './api'
import { isH5 } from './config'

export const MOST_PICTURE_BYTES = 10 * 1024 * 1024
export const MOST_PDF_BYTES = 20 * 1024 * 1024
/** Long edge that keeps the print of an identity card or an A4 page readable. */
const LONG_EDGE = 2400
const SHRINK_ABOVE_BYTES = 800 * 1024

/** A file the resident chose, on its way to become an upload. `preview` can be shown in a picture element, '' for a PDF. */
export interface Chosen {
  source: FileSource
  name: string
  size: number
  media_type: string
  preview: string
}

/** The chosen files of an H5 file input. */
export function chosenOf(files: FileList | File[]): Chosen[] {
  return Array.from(files).map((file) => ({
    source: { file, name: file.name },
    name: file.name,
    size: file.size,
    media_type: file.type,
    preview: file.type.startsWith('image/') ? URL.createObjectURL(file) : '',
  }))
}

/** Opens the phone's camera or album (mini-program). */
export async function choosePictures(count: number): Promise<Chosen[]> {
  const answer = await uni.chooseImage({ count, sizeType: ['original', 'compressed'], sourceType: ['camera', 'album'] })
  const files = answer.tempFiles as { path: string; size: number }[]
  return files.map((file, i) => {
    const name = `照片-${i + 1}.jpg`
    return { source: { path: file.path, name }, name, size: file.size, media_type: 'image/jpeg', preview: file.path }
  })
}

async function shrunkFile(file: File): Promise<File> {
  const picture = await createImageBitmap(file)
  const scale = Math.min(1, LONG_EDGE / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(picture.width * scale)
  canvas.height = Math.round(picture.height * scale)
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.86))
  if (!blob || blob.size >= file.size) return file
  return new File([blob], file.name.replace(/\.\w+$/, '') + '.jpg', { type: 'image/jpeg' })
}

/** A smaller picture with the same content, or the same one when shrinking does not help or cannot be done. */
export async function shrunk(chosen: Chosen): Promise<Chosen> {
  if (!chosen.media_type.startsWith('image/') || chosen.size <= SHRINK_ABOVE_BYTES) return chosen
  try {
    if (isH5 && chosen.source.file) {
      const file = await shrunkFile(chosen.source.file)
      return { ...chosen, source: { file, name: file.name }, name: file.name, size: file.size, media_type: file.type }
    }
    const { tempFilePath } = await uni.compressImage({ src: chosen.source.path as string, quality: 80 })
    return { ...chosen, source: { path: tempFilePath, name: chosen.name } }
  } catch {
    return chosen
  }
}

export const tooLarge = (chosen: Chosen) => chosen.size > (chosen.media_type === 'application/pdf' ? MOST_PDF_BYTES : MOST_PICTURE_BYTES)
export const wrongKind = (chosen: Chosen) => !/^image\/|^application\/pdf$/.test(chosen.media_type)
