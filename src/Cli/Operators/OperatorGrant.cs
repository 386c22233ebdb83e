using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Cli.Session;

namespace Muster.Cli.Operators;

/// <summary>What an administrator hands to a new operator: nothing of it is secret.</summary>
/// <param name="Profile">Where the server is and who he is.</param>
/// <param name="Certificate">Signed for the key that only he has, PEM.</param>
/// <param name="ServerAuthority">What the server's certificate chains to, PEM.</param>
internal sealed record OperatorGrant(
    [property: JsonPropertyName("profile")] Profile Profile,
    [property: JsonPropertyName("certificate")] string Certificate,
    [property: JsonPropertyName("server_ca")] string ServerAuthority)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    public static OperatorGrant Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<OperatorGrant>(ProfileFolder.ReadText(file))
                is { Profile: not null, Certificate: not null, ServerAuthority: not null } grant
                ? grant
                : throw new UsageException($"'{file}' holds no grant.");
        }
        catch (JsonException exception)
        {
            throw new UsageException($"'{file}' holds no grant: {exception.Message}", exception);
        }
    }

    public string ToJson() => JsonSerializer.Serialize(this, Json);
}
