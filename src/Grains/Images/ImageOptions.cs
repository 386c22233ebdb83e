using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Muster.Grains.Images;

/// <summary>How an installation treats its images. Read from the section <c>Muster:Images</c>, of silos.</summary>
public sealed class ImageOptions
{
    public const string SectionName = "Muster:Images";

    /// <summary>More people than ever look at one image.</summary>
    public const int ApprovalsMax = 8;

    /// <summary>
    /// How many operators with the role approver, other than who uploaded the image and who wrote its statement, have to approve that it is
    /// published. Default: 0, an upload publishes at once unless it asks for a draft.
    /// </summary>
    [Range(0, ApprovalsMax)]
    public int ApprovalsToPublish { get; set; }
}

[OptionsValidator]
internal sealed partial class ImageOptionsValidator : IValidateOptions<ImageOptions>;
