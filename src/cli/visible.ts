export { visible } from '../bytes/visible.ts'
