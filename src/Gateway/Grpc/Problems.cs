using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Images;
using Muster.Gateway.Strategies;

namespace Muster.Gateway.Grpc;

/// <summary>
/// Collects all problems of one request, and the tenants that it names: the caller has to belong to each. At most
/// <see cref="ProblemsMax"/> are kept.
/// </summary>
internal sealed class Problems
{
    /// <summary>More than anybody corrects at a time, and a bound for the answer.</summary>
    public const int ProblemsMax = 32;

    public const int RequestIdLengthMax = 64;

    /// <summary>AIP-158.</summary>
    public const int PageSizeMax = 1000;

    /// <summary>A token is a name, a hash, and three values of which each may be the longest setting there is.</summary>
    public const int PageTokenLengthMax = 16_000;

    /// <summary>A cause in words, as the record keeps it.</summary>
    public const int CauseLengthMax = 200;

    private readonly List<(string Field, string Rule)> _found = [];
    private readonly HashSet<TenantId> _tenants = [];

    public IReadOnlyCollection<(string Field, string Rule)> Found => _found;

    public IReadOnlyCollection<TenantId> Tenants => _tenants;

    public void Add(string field, string rule)
    {
        if (_found.Count < ProblemsMax)
        {
            _found.Add((field, rule));
        }
    }

    public void Require(bool holds, string field, string rule)
    {
        if (!holds)
        {
            Add(field, rule);
        }
    }

    /// <summary>Text of one line: what an operator writes is shown in another's terminal, where control characters are commands.</summary>
    public void Length(string field, string value, int min, int max)
    {
        Require(value.Length >= min && value.Length <= max, field, min == 0 ? $"at most {max} characters" : $"{min} to {max} characters");
        Require(!value.Any(char.IsControl), field, "without control characters");
    }

    public void RequestId(string value) => Length("request_id", value, 1, RequestIdLengthMax);

    public void Parent(string value)
    {
        if (ResourceNames.TryParseParent(value, out var tenant))
        {
            _tenants.Add(tenant);
        }
        else
        {
            Add("parent", "has the form tenants/{tenant}");
        }
    }

    /// <summary>One rollout, or the tenant of all of them.</summary>
    public void RolloutOrParent(string value)
    {
        if (ResourceNames.TryParseParent(value, out var tenant)
            || (ResourceNames.TryParse(value, "rollouts", out tenant, out var id) && ResourceId.TryParse(id, out _)))
        {
            _tenants.Add(tenant);
        }
        else
        {
            Add("parent", "has the form tenants/{tenant}/rollouts/{rollout} or tenants/{tenant}");
        }
    }

    public void Page(string parent, int pageSize, string pageToken)
    {
        Parent(parent);
        Require(pageSize is >= 0 and <= PageSizeMax, "page_size", $"0 to {PageSizeMax}; 0 means 50");
        Length("page_token", pageToken, 0, PageTokenLengthMax);
    }

    public void DeviceName(string field, string value) => Name(field, value, "devices", id => DeviceId.TryParse(id, out _));

    public void DecommissionName(string value) => Name("name", value, "decommissions", id => DeviceId.TryParse(id, out _));

    public void EnrollmentName(string value) => Name("name", value, "enrollments", id => DeviceId.TryParse(id, out _));

    public void SerialName(string value) => Name("name", value, "serials", id => DeviceId.TryParse(id, out _));

    public void ImageName(string field, string value) => Name(field, value, "images", id => ImageDigest.TryParse(id, out _));

    public void RolloutName(string value) => RolloutName("name", value);

    public void RolloutName(string field, string value) => Name(field, value, "rollouts", id => ResourceId.TryParse(id, out _));

    public void PolicyName(string field, string value) => Name(field, value, "policies", id => ResourceId.TryParse(id, out _));

    /// <summary>A strategy, with a version behind it or without.</summary>
    public void Strategy(string field, string value)
    {
        if (StrategyNames.TryParse(value, out var tenant, out _))
        {
            _tenants.Add(tenant);
        }
        else
        {
            Add(field, "has the form tenants/{tenant}/strategies/{id}, with @{version} behind it for another than the newest");
        }
    }

    public void StrategyName(string field, string value) => Name(field, value, "strategies", id => ResourceId.TryParse(id, out _));

    public void SiteRulesName(string field, string value)
    {
        if (StrategyNames.TryParseSiteRules(value, out var tenant))
        {
            _tenants.Add(tenant);
        }
        else
        {
            Add(field, "has the form tenants/{tenant}/siteRules");
        }
    }

    public void ProductName(string field, string value) => Name(field, value, "products", id => ProductId.TryParse(id, out _));

    public void OperatorName(string value) => Name("name", value, "operators", id => ResourceId.TryParse(id, out _));

    public void DeliveryName(string value) => Name("name", value, "deliveries", id => ResourceId.TryParse(id, out _));

    public void AnchorName(string value) => Name("name", value, "anchors", id => ResourceId.TryParse(id, out _));

    public void WarrantyName(string field, string value)
    {
        const string Suffix = "/warranty";
        if (value.EndsWith(Suffix, StringComparison.Ordinal)
            && ResourceNames.TryParse(value[..^Suffix.Length], "devices", out var tenant, out var id)
            && DeviceId.TryParse(id, out _))
        {
            _tenants.Add(tenant);
        }
        else
        {
            Add(field, "has the form tenants/{tenant}/devices/{device}/warranty");
        }
    }

    public void ResourceIdOf(string field, string value) => Require(
        ResourceId.TryParse(value, out _), field, "lower-case letters, digits and hyphens, from a letter, at most 63");

    private void Name(string field, string value, string collection, Predicate<string> isId)
    {
        if (ResourceNames.TryParse(value, collection, out var tenant, out var id) && isId(id))
        {
            _tenants.Add(tenant);
        }
        else
        {
            Add(field, $"has the form tenants/{{tenant}}/{collection}/{{id}}");
        }
    }
}
