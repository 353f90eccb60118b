// A small Llama: writes text, and says how well it predicts one and how fast.
//
//   dotnet run -c Release --project samples/TinyLlama -- generate model.bin tokenizer.bin --prompt "Once upon a time"
//   dotnet run -c Release --project samples/TinyLlama -- eval model.bin tokenizer.bin text.txt --weights f32 int8 u4g32 --plot plot.svg
//   dotnet run -c Release --project samples/TinyLlama -- make-model --shape 1b model.bin tokenizer.bin
//
// model.bin is a checkpoint of llama2.c, for example stories260K.bin with tok512.bin; make-model writes one with random weights, to measure speed and memory.
// Hugging Face's checkpoints are folders, which hold both: config.json, safetensors (one file or shards; f32, f16, bf16, GPTQ or AWQ), and tokenizer.json or
// vocab.json and merges.txt:
//
//   dotnet run -c Release --project samples/TinyLlama -- generate Llama-3.2-1B Llama-3.2-1B --weights stored --prompt "Once upon a time"
using TinyLlama;

return await CommandLine.RunAsync(args, Console.OpenStandardOutput, Console.Out, Console.Error);
