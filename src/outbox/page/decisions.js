import { Dialog } from '../../mailbox/page/dialog.js';
import { plural } from '../../mailbox/page/format.js';
import { html, useState } from '../../mailbox/page/vendor/preact.js';
import { decide } from './calls.js';

/** @typedef {import('./calls.js').Action} Action */
/** @typedef {import('./words.js').MailState} MailState */

/**
 * What can be decided: of mails in which states, how the button is called, and what is asked first.
 *
 * @type {Readonly<Record<Action, { readonly of: readonly MailState[], readonly name: string, readonly asks: string, readonly isDanger?: boolean }>>}
 */
export const DECISIONS = {
  retry: {
    of: ['queued', 'failed'],
    name: 'Retry',
    asks: 'Sent now, to those who have not got it: also what waits for another try or its time.',
  },
  cancel: {
    of: ['queued'],
    name: 'Cancel',
    asks: 'It is not sent any more, and its content is deleted. This cannot be undone.',
    isDanger: true,
  },
  sent: {
    of: ['in-doubt'],
    name: 'It was sent',
    asks: 'Say so when the provider’s log, or a recipient, has the Message-ID. It is not sent again.',
  },
  resend: {
    of: ['in-doubt'],
    name: 'Send again',
    asks: 'Say so when the provider’s log does not have the Message-ID. If it did arrive, recipients get it twice.',
    isDanger: true,
  },
};

/** @type {readonly Action[]} */
const ACTIONS = ['retry', 'cancel', 'sent', 'resend'];

/**
 * Buttons for what can be decided about some mails, each with a question.
 *
 * @param {{ mails: readonly { readonly id: string, readonly state: MailState }[], onDone: (text: string) => void }} props
 */
export function Decisions({ mails, onDone }) {
  const [asked, ask] = useState(/** @type {Action | null} */ (null));
  const [fault, setFault] = useState('');
  const [isBusy, setBusy] = useState(false);
  /** @param {Action} action */
  const idsFor = (action) => mails.filter(({ state }) => DECISIONS[action].of.includes(state)).map(({ id }) => id);
  const close = () => {
    ask(null);
    setFault('');
  };
  /** @param {Action} action */
  const act = (action) => {
    const ids = idsFor(action);
    setBusy(true);
    decide(action, ids)
      .then(
        (changed) => {
          close();
          const rest = ids.length - changed;
          onDone(
            `${DECISIONS[action].name}: ${plural(changed, 'mail')}${rest > 0 ? `; ${rest.toLocaleString()} in another state by now` : ''}`,
          );
        },
        (error) => setFault(error.message),
      )
      .finally(() => setBusy(false));
  };
  return html`
    ${ACTIONS.filter((action) => idsFor(action).length > 0).map(
      (action) => html`<button type="button" key=${action} class="button" onClick=${() => ask(action)}>
        ${DECISIONS[action].name}${mails.length > 1 && html` <span class="count">${idsFor(action).length.toLocaleString()}</span>`}
      </button>`,
    )}
    ${
      asked !== null &&
      html`<${Dialog} title=${`${DECISIONS[asked].name}: ${plural(idsFor(asked).length, 'mail')}?`} onClose=${close}>
        <p>${DECISIONS[asked].asks}</p>
        <p class="fault" role="alert">${fault}</p>
        <div class="buttons flex">
          <button type="button" class="button" onClick=${close}>Back</button>
          <button type="button" class=${`button ${DECISIONS[asked].isDanger ? 'danger' : 'primary'}`} disabled=${isBusy} onClick=${() => asked !== null && act(asked)}>
            ${isBusy ? 'A moment…' : DECISIONS[asked].name}
          </button>
        </div>
      </${Dialog}>`
    }
  `;
}
