/**
 * By what one person is told from another where several different ones are needed: their id, whatever its letter case, its Unicode
 * form and the space around it. Directories give `Bob@…` at one sign-in and `bob@…` at the next, and that is no second person.
 */
export function personKey(id: string): string {
  return id.normalize('NFKC').toUpperCase().toLowerCase().trim()
}
