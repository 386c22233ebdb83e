using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Products;

/// <summary>What tables show of products, and the options that say their dates.</summary>
internal static class ProductColumns
{
    public const string Collection = "products";

    public static IReadOnlyList<(string Header, Func<V1.Product, string> Value)> All { get; } =
    [
        ("PRODUCT", product => Values.Short(product.Name)),
        ("SUPPORT", product => EnumNames.Of(product.SupportStatus)),
        ("DISCONTINUED", product => Day(product.DiscontinuedAt)),
        ("OS SUPPORT ENDS", product => Day(product.OsSupportEndsAt)),
        ("HARDWARE SUPPORT ENDS", product => Day(product.HardwareSupportEndsAt)),
        ("REPLACEMENT", product => product.Replacement),
        ("CAMPAIGN", product => product.Campaign),
    ];

    public static V1.Products.ProductsClient Client(FleetSession session) => new(session.Calls);

    private static string Day(Timestamp? at) => at?.ToDateTimeOffset().ToString("yyyy-MM-dd", null) ?? "";
}

/// <summary>The dates of a product on a command line.</summary>
internal sealed class ProductOptions
{
    public Argument<string> Product { get; } = VerbOptions.Name("model", "The product: the model's name, for example P3265-V.");

    public Option<string?> Discontinued { get; } = Date("--discontinued", "When it leaves sale.");

    public Option<string?> OsSupportEnds { get; } = Date("--os-support-ends", "The last instant with OS support.");

    public Option<string?> HardwareSupportEnds { get; } = Date("--hardware-support-ends", "When repair and replacement end.");

    public Option<string> Replacement { get; } =
        new("--replacement") { Description = "The product that takes its place.", DefaultValueFactory = _ => "" };

    public Command AddTo(Command command)
    {
        command.Add(Product);
        command.Add(Discontinued);
        command.Add(OsSupportEnds);
        command.Add(HardwareSupportEnds);
        command.Add(Replacement);
        return command;
    }

    public V1.Product Read(FleetSession session, ParseResult parsed) => new()
    {
        Name = session.NameOf(ProductColumns.Collection, parsed.GetRequiredValue(Product)),
        DiscontinuedAt = Values.Instant(parsed.GetValue(Discontinued)),
        OsSupportEndsAt = Values.Instant(parsed.GetValue(OsSupportEnds)),
        HardwareSupportEndsAt = Values.Instant(parsed.GetValue(HardwareSupportEnds)),
        Replacement = parsed.GetRequiredValue(Replacement),
    };

    private static Option<string?> Date(string name, string description) =>
        new(name) { Description = description + " A date, or an instant of ISO 8601 (UTC).", HelpName = "DATE" };
}
