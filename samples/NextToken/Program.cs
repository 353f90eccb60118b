// The ten likeliest next tokens of a language model, from one row of logits.
//
//   dotnet run --project samples/NextToken -- [temperature] [logits.f32]
//
// The file holds little-endian 32-bit floats, one for each token of the vocabulary; without it a row of Llama 3's vocabulary size is made up.
// The temperature divides the logits: below 1 the likely become likelier, above 1 all become more alike.
return NextToken.NextTokens.Run(args, Console.Out, Console.Error);
