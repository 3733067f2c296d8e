export { storage } from "./accounts.ts";
