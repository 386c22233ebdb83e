using System.Globalization;

namespace Muster.Domain.EndOfSupport;

/// <summary>A product with its lifecycle dates.</summary>
[GenerateSerializer, Immutable, Alias("muster.product")]
public sealed record Product
{
    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required ProductId Id { get; init; }

    [Id(2)] public required ProductSpec Spec { get; init; }

    /// <summary>The request id that created it (AIP-155).</summary>
    [Id(3)] public required string RequestId { get; init; }

    [Id(4)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The status that was told last as a fact; it follows the clock and the dates.</summary>
    [Id(5)] public required SupportStatus ToldStatus { get; init; }

    /// <summary>The campaign that is open at the end-of-support grain, as far as this record knows; empty for none.</summary>
    [Id(6)] public string OpenCampaign { get; init; } = "";

    /// <summary>When the record was changed last; work that follows from a change is due from here on.</summary>
    [Id(7)] public required DateTimeOffset ChangedAt { get; init; }

    /// <summary>What its creation said: a repetition of that request has to say the same, whatever was changed since.</summary>
    [Id(8)] public required ProductSpec CreatedAs { get; init; }

    /// <summary>The campaign that its end of support opens: one per model and instant, whoever asks.</summary>
    public static string CampaignOf(ProductId product, DateTimeOffset endsAt) =>
        string.Create(CultureInfo.InvariantCulture, $"{product}:{endsAt.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}");
}

/// <summary>What an operator says of a product.</summary>
/// <param name="Window">The vendor's dates.</param>
/// <param name="Replacement">The product that takes its place; may be empty. At most 64 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.product-spec")]
public sealed record ProductSpec(
    [property: Id(0)] SupportWindow Window,
    [property: Id(1)] string Replacement)
{
    /// <summary>As long as a product's own name.</summary>
    public const int ReplacementLengthMax = 64;
}
