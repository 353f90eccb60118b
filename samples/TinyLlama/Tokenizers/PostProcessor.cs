namespace TinyLlama;

/// <summary>The tokens around a text, as the post_processor of a tokenizer.json has them for single texts.</summary>
internal static class PostProcessor
{
    private const string Text = "A";

    /// <summary>Reads a post-processor: TemplateProcessing, ByteLevel (which changes offsets alone), or a sequence of them.</summary>
    public static (int[] Before, int[] After) Read(JsonValue processor, int vocabularySize)
    {
        JsonValue[] steps = processor["type"].Text == "Sequence" ? processor["processors"].Items : [processor];
        (int[] Before, int[] After)? around = null;
        foreach (JsonValue step in steps)
        {
            switch (step["type"].Text)
            {
                case "ByteLevel":
                    break;
                case "TemplateProcessing" when around is null:
                    around = ReadTemplate(step, vocabularySize);
                    break;
                case "TemplateProcessing":
                    throw step.Fault("a second template is not known");
                default:
                    throw step.Fault($"'{step["type"].Text}' is not known here");
            }
        }
        return around ?? ([], []);
    }

    // [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}], and special_tokens gives the numbers of "<s>".
    private static (int[] Before, int[] After) ReadTemplate(JsonValue step, int vocabularySize)
    {
        List<int> before = [], after = [];
        List<int> around = before;
        foreach (JsonValue part in step["single"].Items)
        {
            if (part.Find("SpecialToken") is { } special)
            {
                around.AddRange(ReadNumbers(step["special_tokens"][special["id"].Text], vocabularySize));
                continue;
            }
            JsonValue sequence = part["Sequence"]["id"];
            if (sequence.Text != Text || around == after)
                throw sequence.Fault("a template for one text has that text once");
            around = after;
        }
        return around == after ? ([.. before], [.. after]) : throw step["single"].Fault("the text itself is not there");
    }

    private static int[] ReadNumbers(JsonValue token, int vocabularySize)
    {
        JsonValue[] numbers = token["ids"].Items;
        if (numbers.Where(number => (uint)number.Integer >= (uint)vocabularySize).Select(number => (JsonValue?)number).FirstOrDefault() is { } outside)
            throw outside.Fault($"token {outside.Integer} is not within the vocabulary of {vocabularySize}");
        return [.. numbers.Select(number => number.Integer)];
    }
}
