const express = require('express');
const { SendError, sendMail } = require('amsdal-mail');
const { expressMail } = require('amsdal-mail/express');

async function main() {
  const mail = await expressMail({ verify: true });
  const app = express();
  app.use(express.json(), mail);
  app.post('/orders', async (request, response) => {
    const status = await request.mail.sendMessages([
      { subject: 'Your order', body: 'Thank you!', fromEmail: 'shop@example.com', to: [request.body.address] },
    ]);
    response.status(201).json({ status: status.recipients.get(request.body.address)?.status });
  });
  app.post('/orders/by-function', async (request, response) => {
    const call = { subject: 'Again', message: 'Hi', fromEmail: 'shop@example.com', connection: request.mail };
    try {
      const { isSuccess } = await sendMail({ ...call, recipientList: [request.body.address] });
      response.status(201).json({ isSuccess });
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      response.status(201).json({ code: error.code });
    }
  });
  app.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'));
}

void main();
