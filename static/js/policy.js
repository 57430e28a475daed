/**
 * The one Trusted Types policy that the content security policy allows. It passes on HTML that our server made, or that a
 * sanitiser washed, and refuses every script.
 */

const SECURITY = {
  createHTML: (html) => html,
  createScript: refuse,
  createScriptURL: refuse,
};
export const policy = window.trustedTypes ? window.trustedTypes.createPolicy("app", SECURITY) : SECURITY;

export function refuse() {
  throw new TypeError("A fragment may not carry scripts.");
}
