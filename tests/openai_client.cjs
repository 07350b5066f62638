// Every endpoint of OpenAI's interface by its official Node client: node openai_client.cjs PACKAGE URL KEY PICTURE
// Prints one JSON object: what each call answered, as far as the test looks at it.
const fs = require("fs");
const [, , packagePath, baseURL, apiKey, picture] = process.argv;
const OpenAI = require(packagePath);
const { toFile } = OpenAI;
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 120000 });
const model = "smollm2-135m";
const messages = [{ role: "user", content: "Tell me about the sea." }];
const tool = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { unit: { enum: ["C", "F"] } }, required: ["unit"] } },
};

async function refused(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return { kind: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
}

async function main() {
  const told = {};
  told.models = (await client.models.list()).data.map((each) => each.id);
  const chat = await client.chat.completions.create({ model, messages, seed: 3, max_completion_tokens: 12, logprobs: true, top_logprobs: 2 });
  told.chat = { text: chat.choices[0].message.content, record: chat.castalia[0].id, logprobs: chat.choices[0].logprobs.content.length, tokens: chat.usage.completion_tokens };
  told.stream = { text: "", record: null, usage: null };
  for await (const event of await client.chat.completions.create({ model, messages, seed: 3, max_tokens: 12, stream: true, stream_options: { include_usage: true } })) {
    told.stream.text += event.choices[0]?.delta?.content ?? "";
    if (event.choices[0]?.finish_reason) told.stream.record = event.castalia.id;
    if (event.usage) told.stream.usage = event.usage.completion_tokens;
  }
  const call = await client.chat.completions.create({ model, messages, max_tokens: 30, tools: [tool], tool_choice: "required" });
  told.call = call.choices[0].message.tool_calls[0].function;
  const json = await client.chat.completions.create({ model, messages, max_tokens: 20, response_format: { type: "json_object" } });
  told.json = typeof JSON.parse(json.choices[0].message.content);
  const completion = await client.completions.create({ model, prompt: "The harbour lay under snow, and", max_tokens: 8 });
  told.completion = completion.choices[0].text;
  const response = await client.responses.create({ model, input: "Tell me about the sea.", max_output_tokens: 12 });
  told.response = { text: response.output_text, again: (await client.responses.retrieve(response.id)).output_text };
  told.events = [];
  for await (const event of await client.responses.create({ model, input: "The sea?", max_output_tokens: 12, stream: true, previous_response_id: response.id }))
    told.events.push(event.type);
  await client.responses.delete(response.id);
  told.gone = await refused(() => client.responses.retrieve(response.id));
  told.embedding = (await client.embeddings.create({ model, input: "the sea" })).data[0].embedding.length;
  told.moderation = (await client.moderations.create({ input: "you bitch" })).results[0].flagged;
  const drawn = await client.images.generate({ prompt: "a red cat", size: "512x512" }).catch(() => client.images.generate({ prompt: "a red cat" }));
  told.drawn = Buffer.from(drawn.data[0].b64_json, "base64").subarray(1, 4).toString();
  const edited = await client.images.edit({ image: await toFile(fs.createReadStream(picture), "tile.png"), prompt: "tiles", model: "pattern" });
  told.edited = Buffer.from(edited.data[0].b64_json, "base64").subarray(1, 4).toString();
  const sound = await client.post("/sound-generation", { body: { text: "calm", duration_seconds: 6 }, __binaryResponse: true });
  told.sound = Buffer.from(await sound.arrayBuffer()).subarray(0, 4).toString();
  const line = { custom_id: "one", method: "POST", url: "/v1/embeddings", body: { model, input: "the sea" } };
  const file = await client.files.create({ file: await toFile(Buffer.from(JSON.stringify(line) + "\n"), "x.jsonl"), purpose: "batch" });
  let batch = await client.batches.create({ input_file_id: file.id, endpoint: "/v1/embeddings", completion_window: "24h" });
  while (batch.status === "in_progress") {
    await new Promise((resolve) => setTimeout(resolve, 300));
    batch = await client.batches.retrieve(batch.id);
  }
  const output = await (await client.files.content(batch.output_file_id)).text();
  told.batch = { status: batch.status, line: JSON.parse(output).response.status_code };
  told.files = (await client.files.list()).data.length;
  told.speech = await refused(() => client.audio.speech.create({ model: "castalia", voice: "alloy", input: "hello" }));
  told.wrong = await refused(() => client.chat.completions.create({ model, messages, logit_bias: { 1: 2 } }));
  told.stranger = await refused(() => new OpenAI({ baseURL, apiKey: "ck-nothing", maxRetries: 0 }).models.list());
  console.log(JSON.stringify(told));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
