export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { BeforeSend } = await import('amsdal-mail');
  BeforeSend.subscribe((context, next) => {
    const { message } = context;
    return next({ ...context, message: message.with({ headers: { ...message.headers, 'X-Instrumented': 'yes' } }) });
  });
}
