// The one error type of the emulated API and its words. Deliberately not here: when to raise which.

export class ApiError extends Error {
  /** @param {number} code @param {string} description @param {object} [parameters] */
  constructor(code, description, parameters) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
  body() {
    return { ok: false, error_code: this.code, description: this.message, ...(this.parameters && { parameters: this.parameters }) };
  }
}

export const badRequest = (text) => new ApiError(400, text.startsWith('Bad Request') ? text : `Bad Request: ${text}`);
export const forbidden = (text) => new ApiError(403, `Forbidden: ${text}`);
export const tooMany = (seconds) => new ApiError(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
export const unauthorized = () => new ApiError(401, 'Unauthorized');
