/** The state of an application on the screen: answers, files, promises, complaints. Shared by applying and by mending. */
import { reactive } from 'vue'
import { Problem } from './api'
import { checkField } from './checks'
import { complaintText, faultText } from './complaints'
import type { KeptMaterial } from './draft'
import { faultsOf, faultsOfProblem, fieldId, materialId, type Fault } from './form'
import type { Chosen } from './pictures'
import type { Answer, FormField, HandedIn, MaterialRule } from './types'
import { Luggage } from './uploads'

export class Application {
  readonly form = reactive<Record<string, Answer>>({})
  readonly promises = reactive<Record<string, boolean>>({})
  readonly luggage: Luggage
  private readonly shown = reactive<{ faults: Fault[]; early: Record<string, string> }>({ faults: [], early: {} })

  /** `changed` runs after every change that is worth keeping. */
  constructor(
    readonly fields: FormField[],
    readonly materials: MaterialRule[],
    private readonly changed: () => void,
  ) {
    this.luggage = new Luggage(changed)
  }

  get faults(): Fault[] {
    return this.shown.faults
  }

  /** The complaint to show at one field: of the last try to go on, or of leaving the field just now. */
  fieldFault(name: string): string {
    return this.faultAt(fieldId(name)) || this.shown.early[name] || ''
  }

  materialFault(code: string): string {
    return this.faultAt(materialId(code))
  }

  answer(name: string, value: Answer): void {
    this.form[name] = value
    delete this.shown.early[name]
    this.forgive(fieldId(name))
    this.changed()
  }

  /** The resident left the field: say at once what is wrong, but never that it is empty. */
  leave(field: FormField): void {
    const value = this.form[field.name]
    const complaint = value === undefined || value === null || value === '' ? null : checkField(field, value)
    if (complaint) this.shown.early[field.name] = complaintText(complaint)
    else delete this.shown.early[field.name]
  }

  /** Takes files for a material; its complaint goes with the first of them. */
  add(code: string, chosen: Chosen[]): void {
    this.forgive(materialId(code))
    this.luggage.add(code, chosen)
  }

  promise(code: string, on: boolean): void {
    this.promises[code] = on
    this.forgive(materialId(code))
    this.changed()
  }

  /** Everything handed in so far, by material. */
  kept(): Record<string, KeptMaterial> {
    return Object.fromEntries(
      this.materials.map(({ code }) => [code, { files: this.luggage.ready(code), commitment: this.promises[code] ?? false }]),
    )
  }

  restore(form: Record<string, Answer>, materials: Record<string, KeptMaterial>): void {
    Object.assign(this.form, form)
    for (const [code, one] of Object.entries(materials)) this.promises[code] = one.commitment
    this.luggage.restore(materials)
  }

  /** Looks through everything; true when nothing stands in the way. `rules`: what of the papers is asked for now. */
  check(rules: MaterialRule[] = this.materials): boolean {
    this.shown.early = {}
    this.shown.faults = faultsOf(this.fields, rules, this.form, this.kept())
    return this.shown.faults.length === 0
  }

  /** Takes the server's complaints to their places; true when it had any. */
  takeProblem(error: unknown, sent: HandedIn[]): boolean {
    this.shown.faults = error instanceof Problem ? faultsOfProblem(error, this.fields, this.materials, sent) : []
    return this.shown.faults.length > 0
  }

  forgive(target: string): void {
    this.shown.faults = this.shown.faults.filter((fault) => fault.target !== target)
  }

  private faultAt(target: string): string {
    const fault = this.shown.faults.find((one) => one.target === target)
    return fault ? faultText(fault) : ''
  }
}
