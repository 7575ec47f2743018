/** The person of a request, for TypeScript: `req.user` is the user of this application. */
import type { User as LoggedInUser } from './user';

declare global {
  namespace Express {
    interface User extends LoggedInUser {}
  }
}
